#include "mqtt.h"

#include <string.h>

#include "options.h"

static size_t put_length(uint8_t *at, size_t length) {
  size_t n = 0;
  do {
    at[n] = length % 128;
    length /= 128;
    if (length > 0) at[n] |= 128;
    n++;
  } while (length > 0);
  return n;
}

static size_t put_string(uint8_t *at, const char *text) {
  size_t length = strlen(text);
  at[0] = (uint8_t)(length >> 8);
  at[1] = (uint8_t)length;
  memcpy(at + 2, text, length);
  return length + 2;
}

static size_t put_packet(uint8_t *into, uint8_t first, const uint8_t *body, size_t length) {
  into[0] = first;
  size_t n = 1 + put_length(into + 1, length);
  memcpy(into + n, body, length);
  return n + length;
}

size_t mqtt_connect(uint8_t *into, const char *client_id) {
  uint8_t body[packet_room - 8];
  size_t n = put_string(body, "MQTT");
  body[n++] = (uint8_t)set.version;
  body[n++] = (set.persistent ? 0 : 2) | (set.user ? 0x80 : 0) | (set.password ? 0x40 : 0);  // clean session
  body[n++] = (uint8_t)(set.keep_alive >> 8);
  body[n++] = (uint8_t)set.keep_alive;
  if (set.version == 5 && set.persistent) {
    static const uint8_t an_hour[] = {5, 0x11, 0, 0, 14, 16};  // session expiry interval
    memcpy(body + n, an_hour, sizeof an_hour);
    n += sizeof an_hour;
  } else if (set.version == 5) {
    body[n++] = 0;  // no properties
  }
  n += put_string(body + n, client_id);
  if (set.user) n += put_string(body + n, set.user);
  if (set.password) n += put_string(body + n, set.password);
  return put_packet(into, 0x10, body, n);
}

size_t mqtt_subscribe(uint8_t *into, const char *filter) {
  uint8_t body[128] = {0, 1};  // packet id
  size_t n = 2;
  if (set.version == 5) body[n++] = 0;
  n += put_string(body + n, filter);
  body[n++] = (uint8_t)set.qos;
  return put_packet(into, 0x82, body, n);
}

size_t mqtt_disconnect(uint8_t *into) {
  into[0] = 0xe0;
  into[1] = 0;
  return 2;
}

size_t mqtt_publish_head(uint8_t *into, const char *topic) {
  size_t behind = (set.qos > 0 ? 2 : 0) + (set.version == 5 ? 1 : 0) + (size_t)set.size;
  into[0] = (uint8_t)(0x30 | set.qos << 1);
  size_t n = 1 + put_length(into + 1, 2 + strlen(topic) + behind);
  return n + put_string(into + n, topic);
}

// A variable byte integer; returns its length, 0 when it is not whole.
static size_t read_length(const uint8_t *bytes, size_t available, size_t *value) {
  size_t n = 0;
  *value = 0;
  for (int shift = 0; n < available && shift <= 21; shift += 7) {
    *value |= (size_t)(bytes[n] & 127) << shift;
    if ((bytes[n++] & 128) == 0) return n;
  }
  return 0;
}

size_t mqtt_next(const uint8_t *bytes, size_t length, packet *next) {
  if (length < 2) return 0;
  size_t header = read_length(bytes + 1, length - 1, &next->length);
  if (header == 0 || length - 1 - header < next->length) return 0;
  next->first = bytes[0];
  next->body = bytes + 1 + header;
  return 1 + header + next->length;
}

publish_view mqtt_view_publish(const packet *p) {
  publish_view v = {.qos = p->first >> 1 & 3};
  size_t properties = 0, at = 0;
  if (p->length >= 2) {
    v.topic = p->body + 2;
    v.topic_length = (size_t)(p->body[0] << 8 | p->body[1]);
    at = 2 + v.topic_length;
    if (v.qos > 0) v.packet_id = p->body + at;
    if (v.qos > 0) at += 2;
    if (set.version == 5 && at < p->length) {
      size_t n = read_length(p->body + at, p->length - at, &properties);
      at = n == 0 ? p->length + 1 : at + n + properties;
    }
  }
  if (at == 0 || p->length < at + sizeof(uint64_t)) fail("a message came back shorter than it was sent");
  v.payload = p->body + at;
  v.payload_length = p->length - at;
  return v;
}

void mqtt_check_answer(const packet *p) {
  int type = p->first >> 4;
  if (p->length < 2) fail("the broker sent a packet of type %d that is too short", type);
  if (type == type_connack) {
    if (p->body[1] != 0) fail("the broker refused a connection with code %d", p->body[1]);
  } else if (type == type_suback) {
    if (p->body[p->length - 1] > 2) fail("the broker refused a subscription with code %d", p->body[p->length - 1]);
  } else if (set.version == 5 && p->length > 2 && p->body[2] >= 0x80) {
    fail("the broker refused a message with code %d", p->body[2]);
  }
}
