// floor: the least work that can carry MQTT between sockets on one core: epoll, one read per readable socket, a route by
// exact topic or one group of wildcards, one write per touched socket and wake-up. No checks, no sessions, QoS 0 and 1
// only: a yardstick for "how close to the limit", not a broker; it trusts whoever connects.      floor PORT
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { route_slots = 65536, read_size = 65536 };

typedef struct connection {
  int fd;
  uint8_t *in, *out;
  size_t in_length, in_capacity;
  size_t out_start, out_length, out_capacity;
  bool dirty, wants_write, gone, subscribes;
  uint16_t packet_id;
} connection;

// A list of connections that grows.
typedef struct list {
  connection **items;
  size_t count, capacity;
} list;

typedef struct route {
  char *topic;
  size_t length;
  list subscribers;
  struct route *next;
} route;

static route *routes[route_slots];
static list wildcards, dirty, closing;
static int epoll_fd;

static void *grow(void *memory, size_t size) {
  void *more = realloc(memory, size);
  if (more == NULL) {
    fputs("floor: out of memory\n", stderr);
    exit(1);
  }
  return more;
}

static void list_add(list *l, connection *c) {
  if (l->count == l->capacity) {
    l->capacity = l->capacity ? l->capacity * 2 : 4;
    l->items = grow(l->items, l->capacity * sizeof *l->items);
  }
  l->items[l->count++] = c;
}

static void list_remove(list *l, const connection *c) {
  for (size_t i = 0; i < l->count; i++) {
    if (l->items[i] == c) l->items[i--] = l->items[--l->count];
  }
}

// ---- routes ---------------------------------------------------------------------------------------------------------

// FNV-1a.
static uint32_t slot_of(const uint8_t *topic, size_t length) {
  uint32_t hash = 2166136261u;
  while (length--) hash = (hash ^ *topic++) * 16777619u;
  return hash % route_slots;
}

static route *find_route(const uint8_t *topic, size_t length) {
  route *r = routes[slot_of(topic, length)];
  while (r != NULL && (r->length != length || memcmp(r->topic, topic, length) != 0)) r = r->next;
  return r;
}

static void subscribe(connection *c, const uint8_t *filter, size_t length) {
  c->subscribes = true;
  if (length > 0 && filter[length - 1] == '#') {
    list_add(&wildcards, c);
    return;
  }
  route *r = find_route(filter, length);
  if (r == NULL) {
    uint32_t slot = slot_of(filter, length);
    r = grow(NULL, sizeof *r);
    *r = (route){.topic = grow(NULL, length), .length = length, .next = routes[slot]};
    memcpy(r->topic, filter, length);
    routes[slot] = r;
  }
  list_add(&r->subscribers, c);
}

// ---- bytes out ------------------------------------------------------------------------------------------------------

static void put(connection *c, const uint8_t *bytes, size_t length) {
  size_t capacity = c->out_capacity ? c->out_capacity : 4096;
  while (c->out_length + length > capacity) capacity *= 2;
  if (capacity != c->out_capacity) c->out = grow(c->out, capacity);
  c->out_capacity = capacity;
  memcpy(c->out + c->out_length, bytes, length);
  c->out_length += length;
  if (c->dirty) return;
  c->dirty = true;
  list_add(&dirty, c);
}

static void flush(connection *c) {
  c->dirty = false;
  ssize_t sent = write(c->fd, c->out + c->out_start, c->out_length - c->out_start);
  if (sent > 0) c->out_start += (size_t)sent;
  bool wants_write = c->out_start < c->out_length;
  if (!wants_write) c->out_start = c->out_length = 0;
  if (wants_write == c->wants_write) return;
  c->wants_write = wants_write;
  struct epoll_event event = {.events = EPOLLIN | (wants_write ? EPOLLOUT : 0), .data.ptr = c};
  epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

static void deliver(list *to, const uint8_t *packet, size_t length, size_t packet_id_at) {
  for (size_t i = 0; i < to->count; i++) {
    connection *c = to->items[i];
    put(c, packet, length);
    if (packet_id_at == 0) continue;
    if (++c->packet_id == 0) c->packet_id = 1;
    uint8_t *id = c->out + c->out_length - length + packet_id_at;
    id[0] = (uint8_t)(c->packet_id >> 8);
    id[1] = (uint8_t)c->packet_id;
  }
}

// ---- packets in -----------------------------------------------------------------------------------------------------

static void on_publish(connection *c, const uint8_t *packet, size_t header, size_t length) {
  const uint8_t *body = packet + header;
  size_t topic_length = (size_t)(body[0] << 8 | body[1]);
  size_t packet_id_at = packet[0] >> 1 & 3 ? header + 2 + topic_length : 0;
  if (packet_id_at > 0) {
    uint8_t puback[4] = {0x40, 2, packet[packet_id_at], packet[packet_id_at + 1]};
    put(c, puback, sizeof puback);
  }
  route *r = find_route(body + 2, topic_length);
  if (r != NULL) deliver(&r->subscribers, packet, length, packet_id_at);
  deliver(&wildcards, packet, length, packet_id_at);
}

static void on_packet(connection *c, const uint8_t *packet, size_t header, size_t length) {
  const uint8_t *body = packet + header;
  if (packet[0] >> 4 == 1) {
    static const uint8_t connack[4] = {0x20, 2, 0, 0};
    put(c, connack, sizeof connack);
  } else if (packet[0] >> 4 == 8) {
    size_t filter_length = (size_t)(body[2] << 8 | body[3]);
    uint8_t suback[5] = {0x90, 3, body[0], body[1], body[4 + filter_length]};
    put(c, suback, sizeof suback);
    subscribe(c, body + 4, filter_length);
  } else if (packet[0] >> 4 == 3) {
    on_publish(c, packet, header, length);
  }
}

static void on_bytes(connection *c) {
  size_t at = 0;
  while (c->in_length - at >= 2) {
    size_t body = at + 1, body_length = 0;
    int shift = 0;
    bool whole = false;
    while (body < c->in_length && shift <= 21 && !whole) {
      body_length |= (size_t)(c->in[body] & 127) << shift;
      shift += 7;
      whole = (c->in[body++] & 128) == 0;
    }
    if (!whole || c->in_length - body < body_length) break;
    on_packet(c, c->in + at, body - at, body - at + body_length);
    at = body + body_length;
  }
  if (at == 0) return;
  memmove(c->in, c->in + at, c->in_length - at);
  c->in_length -= at;
}

static void read_from(connection *c) {
  if (c->in_capacity - c->in_length < read_size / 4) {
    c->in_capacity = c->in_length + read_size;
    c->in = grow(c->in, c->in_capacity);
  }
  ssize_t got = read(c->fd, c->in + c->in_length, c->in_capacity - c->in_length);
  if (got > 0) {
    c->in_length += (size_t)got;
    on_bytes(c);
  } else if ((got == 0 || errno != EAGAIN) && !c->gone) {
    c->gone = true;
    list_add(&closing, c);
  }
}

// Behind a wake-up: until then an event of the same wake-up may still point to it.
static void forget(connection *c) {
  if (c->subscribes) list_remove(&wildcards, c);
  for (size_t slot = 0; c->subscribes && slot < route_slots; slot++) {
    for (route *r = routes[slot]; r != NULL; r = r->next) list_remove(&r->subscribers, c);
  }
  close(c->fd);
  free(c->in);
  free(c->out);
  free(c);
}

// ---- sockets --------------------------------------------------------------------------------------------------------

static void accept_one(int listener) {
  int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK), one = 1;
  if (fd < 0) return;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  connection *c = grow(NULL, sizeof *c);
  *c = (connection){.fd = fd};
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static int listen_on(const char *port) {
  int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 4096) != 0) {
    fprintf(stderr, "floor: cannot listen on 127.0.0.1:%s: %s\n", port, strerror(errno));
    exit(1);
  }
  return listener;
}

int main(int argc, char **argv) {
  if (argc != 2 || atoi(argv[1]) < 1 || atoi(argv[1]) > 65535) {
    fputs("usage: floor PORT\n", stderr);
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  int listener = listen_on(argv[1]);
  epoll_fd = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[1024];
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int count = epoll_wait(epoll_fd, events, 1024, -1);
    for (int i = 0; i < count; i++) {
      connection *c = events[i].data.ptr;
      if (c == NULL) {
        accept_one(listener);
        continue;
      }
      if (events[i].events & EPOLLOUT && !c->dirty) {
        c->dirty = true;
        list_add(&dirty, c);
      }
      if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_from(c);
    }
    for (size_t i = 0; i < dirty.count; i++) flush(dirty.items[i]);
    dirty.count = 0;
    for (size_t i = 0; i < closing.count; i++) forget(closing.items[i]);
    closing.count = 0;
  }
}
