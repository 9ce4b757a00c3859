#define _GNU_SOURCE
#include "websocket.h"

#include <stdio.h>
#include <string.h>

// A client has to mask (RFC 6455, 5.3). A fixed mask serves here: it costs both ends what a random one does.
static const uint8_t mask[8] = {0x37, 0xfa, 0x21, 0x3d, 0x37, 0xfa, 0x21, 0x3d};

enum { opcode_binary = 2, opcode_close = 8, opcode_ping = 9, opcode_pong = 10, answer_limit = 4096 };

void websocket_request(stream *s, const endpoint *to) {
  char request[512];
  int length = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: ZGF2eWxhbXAgbXFsb2FkIQ==\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Protocol: mqtt\r\n\r\n",
                        to->websocket_path, to->host, to->port);
  if (length >= (int)sizeof request) fail("--ws %s: too long", to->websocket_path);
  // The socket's buffer is empty: so few bytes always fit.
  if (stream_transmit(s, request, (size_t)length) != length) fail("the WebSocket request could not be sent");
}

enum stream_phase websocket_answer(stream *s) {
  uint8_t bytes[answer_limit];
  for (;;) {
    ssize_t got = stream_receive(s, bytes, sizeof bytes);
    if (got == 0) return stream_has_failed;
    if (got < 0) return stream_in_upgrade;
    buffer_put(&s->frames_in, bytes, (size_t)got);
    buffer *b = &s->frames_in;
    const uint8_t *end = memmem(b->bytes + b->start, b->end - b->start, "\r\n\r\n", 4);
    if (end == NULL && b->end - b->start < answer_limit) continue;
    if (end == NULL || memcmp(b->bytes + b->start, "HTTP/1.1 101", 12) != 0) {
      fail("the broker refused the WebSocket: %.*s", (int)strcspn((char *)b->bytes + b->start, "\r"), b->bytes + b->start);
    }
    b->start = (size_t)(end + 4 - b->bytes);
    return stream_is_open;
  }
}

// Masks eight bytes at a time; `into` and `from` are different.
static void put_masked(uint8_t *into, const uint8_t *from, size_t length) {
  uint64_t wide, word;
  memcpy(&wide, mask, sizeof wide);
  size_t i = 0;
  for (; i + sizeof word <= length; i += sizeof word) {
    memcpy(&word, from + i, sizeof word);
    word ^= wide;
    memcpy(into + i, &word, sizeof word);
  }
  for (; i < length; i++) into[i] = from[i] ^ mask[i % 4];
}

static void put_frame(stream *s, int opcode, const uint8_t *payload, size_t length) {
  uint8_t header[14] = {(uint8_t)(0x80 | opcode)};
  size_t n = 2;
  if (length < 126) {
    header[1] = (uint8_t)(0x80 | length);
  } else {
    int bytes = length < 65536 ? 2 : 8;
    header[1] = bytes == 2 ? 0x80 | 126 : 0x80 | 127;
    for (int i = bytes - 1; i >= 0; i--) header[n++] = (uint8_t)((uint64_t)length >> 8 * i);
  }
  memcpy(header + n, mask, 4);
  buffer_put(&s->frames_out, header, n + 4);
  // Room first, then masked in place of a copy.
  buffer_put(&s->frames_out, payload, length);
  put_masked(s->frames_out.bytes + s->frames_out.end - length, payload, length);
}

void websocket_frame(stream *s) {
  if (s->out.start == s->out.end) return;
  put_frame(s, opcode_binary, s->out.bytes + s->out.start, s->out.end - s->out.start);
  s->out.start = s->out.end = 0;
}

// The length of the header in front of `length` bytes; 0 when it is not whole. A server does not mask.
static size_t read_header(const uint8_t *bytes, size_t length, uint64_t *payload) {
  if (length < 2) return 0;
  size_t extra = (bytes[1] & 127) == 126 ? 2 : (bytes[1] & 127) == 127 ? 8 : 0;
  if (length < 2 + extra) return 0;
  *payload = bytes[1] & 127;
  if (extra > 0) *payload = 0;
  for (size_t i = 0; i < extra; i++) *payload = *payload << 8 | bytes[2 + i];
  return 2 + extra;
}

// Uses up what is whole; returns how much that is. `SIZE_MAX`: the broker has closed the connection.
static size_t take_frames(stream *s, const uint8_t *bytes, size_t length, consumer consume, void *owner) {
  size_t at = 0;
  while (at < length) {
    if (s->frame_left > 0) {
      size_t part = s->frame_left < length - at ? (size_t)s->frame_left : length - at;
      stream_feed(s, bytes + at, part, consume, owner);
      s->frame_left -= part;
      at += part;
      continue;
    }
    uint64_t payload;
    size_t header = read_header(bytes + at, length - at, &payload);
    int opcode = header > 0 ? bytes[at] & 15 : -1;
    if (header == 0 || (opcode >= opcode_close && length - at - header < payload)) break;
    at += header;
    if (opcode < opcode_close) {
      s->frame_left = payload;
      continue;
    }
    if (opcode == opcode_close) return SIZE_MAX;
    if (opcode == opcode_ping) put_frame(s, opcode_pong, bytes + at, (size_t)payload);
    at += (size_t)payload;
  }
  return at;
}

bool websocket_feed(stream *s, const uint8_t *bytes, size_t length, consumer consume, void *owner) {
  buffer *rest = &s->frames_in;
  if (rest->start == rest->end) {
    size_t used = take_frames(s, bytes, length, consume, owner);
    if (used == SIZE_MAX) return false;
    buffer_put(rest, bytes + used, length - used);
    return true;
  }
  buffer_put(rest, bytes, length);
  size_t used = take_frames(s, rest->bytes + rest->start, rest->end - rest->start, consume, owner);
  if (used == SIZE_MAX) return false;
  rest->start += used;
  return true;
}
