// stream: one buffered, non-blocking byte stream to the broker, over TCP or TLS, bare or in WebSocket frames, in an epoll
// set. `stream_open` connects; then call `stream_ready` at each of its events until it says `stream_is_open`.
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

enum stream_phase { stream_in_tls_handshake, stream_in_upgrade, stream_is_open, stream_has_failed };

typedef struct stream {
  int fd;
  enum stream_phase phase;
  void *tls;          // SSL *, or NULL
  buffer in, out;     // of the application: what it has not used up, what it has not sent
  buffer frames_in;   // WebSocket: bytes that are not a whole frame header or control frame yet
  buffer frames_out;  // WebSocket: what is framed and not sent
  uint64_t frame_left; // WebSocket: bytes of the present data frame that are still to come
  bool wants_write, is_websocket;
} stream;

enum resumption { resume_never, resume_by_ticket, resume_by_id };

typedef struct endpoint {
  const char *host;
  int port;
  const char *ca_file;    // NULL: no TLS; "-": TLS without checking the broker's certificate
  const char *certificate_file;
  const char *key_file;
  const char *websocket_path; // NULL: no WebSocket
  int tls_version;            // 12 or 13: that version and no other; 0: what both ends like best
  enum resumption resumption;
} endpoint;

// Takes bytes; returns how many it has used up.
typedef size_t (*consumer)(void *owner, const uint8_t *bytes, size_t length);

// Says what is wrong on standard error and ends the program with exit code 1.
__attribute__((format(printf, 1, 2), noreturn)) void fail(const char *format, ...);

// realloc, calloc that end the program when there is no memory.
void *grow(void *memory, size_t size);
void *zeroed(size_t count, size_t size);

uint64_t now_ns(void);

void buffer_put(buffer *b, const void *bytes, size_t length);

// Once, before the first stream. Loads certificates where TLS is asked for.
void stream_prepare(const endpoint *to);
// Connects (blocking) and adds the stream to the epoll set with `owner` as its data. The handshakes come after.
// `source` is the last part of the local address 127.0.0.source; 0 = let the system choose.
void stream_open(stream *s, const endpoint *to, int epoll_fd, void *owner, int source);
// Goes on with the handshakes as far as that is possible now.
enum stream_phase stream_ready(stream *s, const endpoint *to);
// Whether the TLS handshake took up an earlier session.
bool stream_was_resumed(const stream *s);
// Appends to what will be sent.
void stream_put(stream *s, const void *bytes, size_t length);
// Sends what the socket takes now; asks epoll for the rest. False: the broker has closed the connection.
bool stream_flush(stream *s, int epoll_fd, void *owner);
// Reads what is there and hands it over. False: the broker has closed the connection.
bool stream_read(stream *s, consumer consume, void *owner);
// Says goodbye in TLS, closes, and keeps the buffers for the next `stream_open`.
void stream_close(stream *s);

// ---- for websocket.c: bytes as they are on the wire or inside TLS; > 0 bytes, 0 = gone, -1 = nothing can be done now

#include <sys/types.h>
ssize_t stream_receive(stream *s, void *bytes, size_t length);
ssize_t stream_transmit(stream *s, const void *bytes, size_t length);
// Gives bytes to the application, keeping for later what it does not use up.
void stream_feed(stream *s, const uint8_t *bytes, size_t length, consumer consume, void *owner);

#endif
