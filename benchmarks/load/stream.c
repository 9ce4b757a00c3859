#define _GNU_SOURCE
#include "stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifdef WITH_TLS
#include <openssl/err.h>
#include <openssl/ssl.h>
static SSL_CTX *tls_context;
#endif

// At least this much room for each read, so that one system call takes a full socket buffer.
enum { read_size = 65536 };

void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("mqload: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

void *grow(void *memory, size_t size) {
  void *more = realloc(memory, size);
  if (more == NULL) fail("out of memory (%zu bytes wanted)", size);
  return more;
}

void *zeroed(size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (memory == NULL) fail("out of memory (%zu times %zu bytes wanted)", count, size);
  return memory;
}

uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// Makes room for `length` bytes behind the end; moves what is there to the front first.
static void make_room(buffer *b, size_t length) {
  if (b->start == b->end) b->start = b->end = 0;
  if (b->end + length <= b->capacity) return;
  if (b->start > 0) {
    memmove(b->bytes, b->bytes + b->start, b->end - b->start);
    b->end -= b->start;
    b->start = 0;
  }
  size_t capacity = b->capacity ? b->capacity : 512;
  while (b->end + length > capacity) capacity *= 2;
  if (capacity != b->capacity) b->bytes = grow(b->bytes, capacity);
  b->capacity = capacity;
}

void stream_prepare(const endpoint *to) {
  if (to->ca_file == NULL) return;
#ifdef WITH_TLS
  tls_context = SSL_CTX_new(TLS_client_method());
  if (tls_context == NULL) fail("TLS cannot be set up");
  if (strcmp(to->ca_file, "-") != 0) {
    if (SSL_CTX_load_verify_locations(tls_context, to->ca_file, NULL) != 1) fail("--tls %s: not a file of CA certificates", to->ca_file);
    SSL_CTX_set_verify(tls_context, SSL_VERIFY_PEER, NULL);
  }
  if (to->certificate_file != NULL) {
    if (SSL_CTX_use_certificate_chain_file(tls_context, to->certificate_file) != 1) fail("--cert %s: not a certificate", to->certificate_file);
    if (to->key_file == NULL) fail("--cert needs --key");
    if (SSL_CTX_use_PrivateKey_file(tls_context, to->key_file, SSL_FILETYPE_PEM) != 1) fail("--key %s: not the certificate's key", to->key_file);
  }
  SSL_CTX_set_mode(tls_context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
#else
  fail("--tls: built without TLS; install OpenSSL's headers (libssl-dev) and build again");
#endif
}

static void handshake(stream *s) {
#ifdef WITH_TLS
  if (tls_context == NULL) return;
  SSL *tls = SSL_new(tls_context);
  if (tls == NULL || SSL_set_fd(tls, s->fd) != 1 || SSL_connect(tls) != 1) {
    fail("TLS handshake failed: %s", ERR_reason_error_string(ERR_get_error()));
  }
  s->tls = tls;
#else
  (void)s;
#endif
}

void stream_open(stream *s, const endpoint *to, int epoll_fd, void *owner, int source) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)to->port)};
  if (inet_pton(AF_INET, to->host, &address.sin_addr) != 1) fail("--host %s: not an IPv4 address", to->host);
  s->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (s->fd < 0) fail("no more sockets: %s", strerror(errno));
  if (source > 0) {
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + (uint32_t)source)};
    if (bind(s->fd, (struct sockaddr *)&own, sizeof own) != 0) fail("cannot bind to 127.0.0.%d: %s", source, strerror(errno));
  }
  if (connect(s->fd, (struct sockaddr *)&address, sizeof address) != 0) {
    fail("cannot connect to %s:%d: %s", to->host, to->port, strerror(errno));
  }
  int one = 1;
  setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  handshake(s);
  fcntl(s->fd, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = owner};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, s->fd, &event) != 0) fail("epoll: %s", strerror(errno));
}

void stream_put(stream *s, const void *bytes, size_t length) {
  make_room(&s->out, length);
  memcpy(s->out.bytes + s->out.end, bytes, length);
  s->out.end += length;
}

// Both return > 0 bytes, 0 when the connection is gone, or -1 when nothing can be done now.
#ifdef WITH_TLS
static ssize_t tls_result(stream *s, int result) {
  if (result > 0) return result;
  int reason = SSL_get_error(s->tls, result);
  return reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE ? -1 : 0;
}
#endif

static ssize_t receive(stream *s, void *bytes, size_t length) {
#ifdef WITH_TLS
  if (s->tls != NULL) return tls_result(s, SSL_read(s->tls, bytes, (int)length));
#endif
  ssize_t result = read(s->fd, bytes, length);
  return result < 0 && errno != EAGAIN ? 0 : result;
}

static ssize_t transmit(stream *s, const void *bytes, size_t length) {
#ifdef WITH_TLS
  if (s->tls != NULL) return tls_result(s, SSL_write(s->tls, bytes, (int)length));
#endif
  ssize_t result = write(s->fd, bytes, length);
  return result < 0 && errno != EAGAIN ? 0 : result;
}

bool stream_flush(stream *s, int epoll_fd, void *owner) {
  while (s->out.start < s->out.end) {
    ssize_t sent = transmit(s, s->out.bytes + s->out.start, s->out.end - s->out.start);
    if (sent == 0) return false;
    if (sent < 0) break;
    s->out.start += (size_t)sent;
  }
  bool wants_write = s->out.start < s->out.end;
  if (wants_write == s->wants_write) return true;
  s->wants_write = wants_write;
  struct epoll_event event = {.events = EPOLLIN | (wants_write ? EPOLLOUT : 0), .data.ptr = owner};
  epoll_ctl(epoll_fd, EPOLL_CTL_MOD, s->fd, &event);
  return true;
}

bool stream_read(stream *s, consumer consume, void *owner) {
  for (;;) {
    make_room(&s->in, read_size);
    ssize_t got = receive(s, s->in.bytes + s->in.end, s->in.capacity - s->in.end);
    if (got == 0) return false;
    if (got < 0) return true;
    s->in.end += (size_t)got;
    s->in.start += consume(owner, s->in.bytes + s->in.start, s->in.end - s->in.start);
    // A short read has emptied a plain socket; TLS may still hold a decrypted record.
    if (s->tls == NULL && got < read_size) return true;
  }
}
