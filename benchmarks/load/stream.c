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

#include "websocket.h"

#ifdef WITH_TLS
#include <openssl/err.h>
#include <openssl/ssl.h>
static SSL_CTX *tls_context;
static SSL_SESSION *latest_session; // what a resuming handshake offers
#endif

// One system call takes a full socket buffer. All streams read into the same place: it stays in the processor's cache.
enum { read_size = 65536 };
static uint8_t scratch[read_size];

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

void buffer_put(buffer *b, const void *bytes, size_t length) {
  if (length == 0) return;
  make_room(b, length);
  memcpy(b->bytes + b->end, bytes, length);
  b->end += length;
}

// ---- TLS ------------------------------------------------------------------------------------------------------------

#ifdef WITH_TLS
static int keep_session(SSL *tls, SSL_SESSION *session) {
  (void)tls;
  if (latest_session != NULL) SSL_SESSION_free(latest_session);
  latest_session = session;
  return 1; // ours now
}

static void prepare_tls(const endpoint *to) {
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
  int version = to->tls_version == 12 ? TLS1_2_VERSION : to->tls_version == 13 ? TLS1_3_VERSION : 0;
  SSL_CTX_set_min_proto_version(tls_context, version);
  SSL_CTX_set_max_proto_version(tls_context, version);
  // One system call for a record, not one for its header and one for the rest.
  SSL_CTX_set_read_ahead(tls_context, 1);
  SSL_CTX_set_mode(tls_context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (to->resumption == resume_never) return;
  SSL_CTX_set_session_cache_mode(tls_context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(tls_context, keep_session);
  if (to->resumption == resume_by_id) SSL_CTX_set_options(tls_context, SSL_OP_NO_TICKET);
}
#endif

void stream_prepare(const endpoint *to) {
  if (to->ca_file == NULL) return;
#ifdef WITH_TLS
  prepare_tls(to);
#else
  fail("--tls: built without TLS; install OpenSSL's headers (libssl-dev) and build again");
#endif
}

static void begin_tls(stream *s) {
#ifdef WITH_TLS
  SSL *tls = SSL_new(tls_context);
  if (tls == NULL || SSL_set_fd(tls, s->fd) != 1) fail("TLS cannot be set up for a connection");
  SSL_set_connect_state(tls);
  if (latest_session != NULL) {
    // A copy: OpenSSL takes each ticket of TLS 1.3 once only, and not every broker gives a new one to who resumes.
    SSL_SESSION *copy = SSL_SESSION_dup(latest_session);
    SSL_set_session(tls, copy);
    SSL_SESSION_free(copy);
  }
  s->tls = tls;
#else
  (void)s;
#endif
}

// 1: over; -1: not yet; 0: failed.
static int handshake(stream *s) {
#ifdef WITH_TLS
  ERR_clear_error();
  int result = SSL_do_handshake(s->tls);
  if (result == 1) return 1;
  int reason = SSL_get_error(s->tls, result);
  if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) return -1;
  const char *why = ERR_reason_error_string(ERR_peek_error());
  fprintf(stderr, "mqload: TLS handshake failed: %s\n", why == NULL ? "the broker closed the connection" : why);
#else
  (void)s;
#endif
  return 0;
}

bool stream_was_resumed(const stream *s) {
#ifdef WITH_TLS
  return s->tls != NULL && SSL_session_reused(s->tls) == 1;
#else
  (void)s;
  return false;
#endif
}

// ---- opening and closing --------------------------------------------------------------------------------------------

void stream_open(stream *s, const endpoint *to, int epoll_fd, void *owner, int source) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)to->port)};
  if (inet_pton(AF_INET, to->host, &address.sin_addr) != 1) fail("--host %s: not an IPv4 address", to->host);
  s->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (s->fd < 0) fail("no more sockets: %s", strerror(errno));
  int one = 1;
  if (source > 0) {
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + (uint32_t)source)};
    setsockopt(s->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(s->fd, (struct sockaddr *)&own, sizeof own) != 0) fail("cannot bind to 127.0.0.%d: %s", source, strerror(errno));
  }
  if (connect(s->fd, (struct sockaddr *)&address, sizeof address) != 0) {
    fail("cannot connect to %s:%d: %s", to->host, to->port, strerror(errno));
  }
  setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(s->fd, F_SETFL, O_NONBLOCK);
  if (to->ca_file != NULL) begin_tls(s);
  s->phase = to->ca_file != NULL ? stream_in_tls_handshake : to->websocket_path != NULL ? stream_in_upgrade : stream_is_open;
  if (s->phase == stream_in_upgrade) websocket_request(s, to);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = owner};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, s->fd, &event) != 0) fail("epoll: %s", strerror(errno));
}

enum stream_phase stream_ready(stream *s, const endpoint *to) {
  if (s->phase == stream_in_tls_handshake) {
    int result = handshake(s);
    if (result < 0) return s->phase;
    s->phase = result == 0 ? stream_has_failed : to->websocket_path != NULL ? stream_in_upgrade : stream_is_open;
    if (s->phase == stream_in_upgrade) websocket_request(s, to);
    return s->phase;
  }
  if (s->phase == stream_in_upgrade) s->phase = websocket_answer(s);
  s->is_websocket = to->websocket_path != NULL;
  return s->phase;
}

void stream_close(stream *s) {
#ifdef WITH_TLS
  if (s->tls != NULL) {
    SSL_shutdown(s->tls); // without it a session of TLS 1.2 counts as broken
    SSL_free(s->tls);
  }
#endif
  close(s->fd);
  s->tls = NULL;
  s->wants_write = false;
  s->frame_left = 0;
  buffer *all[] = {&s->in, &s->out, &s->frames_in, &s->frames_out};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) all[i]->start = all[i]->end = 0;
}

// ---- bytes ----------------------------------------------------------------------------------------------------------

void stream_put(stream *s, const void *bytes, size_t length) {
  buffer_put(&s->out, bytes, length);
}

#ifdef WITH_TLS
static ssize_t tls_result(stream *s, int result) {
  if (result > 0) return result;
  int reason = SSL_get_error(s->tls, result);
  return reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE ? -1 : 0;
}
#endif

ssize_t stream_receive(stream *s, void *bytes, size_t length) {
#ifdef WITH_TLS
  if (s->tls != NULL) return tls_result(s, SSL_read(s->tls, bytes, (int)length));
#endif
  ssize_t result = read(s->fd, bytes, length);
  return result < 0 && errno != EAGAIN ? 0 : result;
}

ssize_t stream_transmit(stream *s, const void *bytes, size_t length) {
#ifdef WITH_TLS
  if (s->tls != NULL) return tls_result(s, SSL_write(s->tls, bytes, length > 1 << 30 ? 1 << 30 : (int)length));
#endif
  ssize_t result = write(s->fd, bytes, length);
  return result < 0 && errno != EAGAIN ? 0 : result;
}

bool stream_flush(stream *s, int epoll_fd, void *owner) {
  if (s->is_websocket) websocket_frame(s);
  buffer *b = s->is_websocket ? &s->frames_out : &s->out;
  while (b->start < b->end) {
    ssize_t sent = stream_transmit(s, b->bytes + b->start, b->end - b->start);
    if (sent == 0) return false;
    if (sent < 0) break;
    b->start += (size_t)sent;
  }
  bool wants_write = b->start < b->end;
  if (wants_write == s->wants_write) return true;
  s->wants_write = wants_write;
  struct epoll_event event = {.events = EPOLLIN | (wants_write ? EPOLLOUT : 0), .data.ptr = owner};
  epoll_ctl(epoll_fd, EPOLL_CTL_MOD, s->fd, &event);
  return true;
}

void stream_feed(stream *s, const uint8_t *bytes, size_t length, consumer consume, void *owner) {
  buffer *rest = &s->in;
  if (rest->start == rest->end) {
    size_t used = consume(owner, bytes, length);
    buffer_put(rest, bytes + used, length - used);
    return;
  }
  buffer_put(rest, bytes, length);
  rest->start += consume(owner, rest->bytes + rest->start, rest->end - rest->start);
}

bool stream_read(stream *s, consumer consume, void *owner) {
  for (;;) {
    ssize_t got = stream_receive(s, scratch, sizeof scratch);
    if (got == 0) return false;
    if (got < 0) return true;
    if (!s->is_websocket) stream_feed(s, scratch, (size_t)got, consume, owner);
    else if (!websocket_feed(s, scratch, (size_t)got, consume, owner)) return false;
    // A short read has emptied a plain socket; TLS may still hold a decrypted record.
    if (s->tls == NULL && got < read_size) return true;
  }
}
