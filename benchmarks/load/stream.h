// stream: one buffered, non-blocking byte stream to the broker, over TCP or TLS, in an epoll set.
#ifndef DAVYLAMP_STREAM_H
#define DAVYLAMP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct buffer {
  uint8_t *bytes;
  size_t start;    // first byte that is still wanted
  size_t end;      // behind the last byte
  size_t capacity;
} buffer;

typedef struct stream {
  int fd;
  void *tls;       // SSL *, or NULL
  buffer in, out;
  bool wants_write;
} stream;

typedef struct endpoint {
  const char *host;
  int port;
  const char *ca_file;    // NULL: no TLS; "-": TLS without checking the broker's certificate
  const char *certificate_file;
  const char *key_file;
} endpoint;

// Takes bytes; returns how many it has used up.
typedef size_t (*consumer)(void *owner, const uint8_t *bytes, size_t length);

// Says what is wrong on standard error and ends the program with exit code 1.
__attribute__((format(printf, 1, 2), noreturn)) void fail(const char *format, ...);

// realloc, calloc that end the program when there is no memory.
void *grow(void *memory, size_t size);
void *zeroed(size_t count, size_t size);

uint64_t now_ns(void);

// Once, before the first stream. Loads certificates where TLS is asked for.
void stream_prepare(const endpoint *to);
// Connects (blocking, TLS handshake included) and adds the stream to the epoll set with `owner` as its data.
// `source` is the last part of the local address 127.0.0.source; 0 = let the system choose.
void stream_open(stream *s, const endpoint *to, int epoll_fd, void *owner, int source);
// Appends to what will be sent.
void stream_put(stream *s, const void *bytes, size_t length);
// Sends what the socket takes now; asks epoll for the rest. False: the broker has closed the connection.
bool stream_flush(stream *s, int epoll_fd, void *owner);
// Reads what is there and hands it over. False: the broker has closed the connection.
bool stream_read(stream *s, consumer consume, void *owner);

#endif
