// mqload: an MQTT 3.1.1 load generator in one thread. Every figure is counted at the receiving side. A run is closed-loop
// (each publisher keeps at most --window messages undelivered) or open-loop (--rate). `mqload --help` tells the options.
// Prints one line of JSON. Exit codes: 0 done, 1 could not run, 2 wrong usage.
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "options.h"
#include "report.h"
#include "stream.h"

enum role { publisher, subscriber };
enum state { awaiting_connack, awaiting_suback, ready };

typedef struct client {
  stream stream;
  enum role role;
  enum state state;
  int id;
  uint64_t sent;       // publisher: messages sent
  uint64_t completed;  // publisher: messages acknowledged (QoS > 0) or seen delivered (QoS 0, fan-in)
  uint64_t received;   // subscriber
  uint16_t packet_id;
  uint8_t *head;       // publisher: fixed header and topic of every message it sends
  size_t head_length;
  struct client *peer; // pair: the other end
} client;

static client *clients;
static int total, ready_count, epoll_fd;
static uint64_t sent_total, received_total;
static samples latencies;
static bool sending = true, fanout_moved;
static uint8_t *payload;

// One latency of so many is kept: reading the clock costs more than receiving a message.
enum { latency_every = 16, warm_up_seconds = 1, connect_timeout_seconds = 60 };

// ---- packets out ----------------------------------------------------------------------------------------------------

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

static void flush(client *c) {
  if (!stream_flush(&c->stream, epoll_fd, c)) fail("the broker closed the connection of %s %d", c->role ? "subscriber" : "publisher", c->id);
}

static void send_packet(client *c, uint8_t first, const uint8_t *body, size_t length) {
  uint8_t header[5] = {first};
  stream_put(&c->stream, header, 1 + put_length(header + 1, length));
  stream_put(&c->stream, body, length);
}

static void send_connect(client *c) {
  uint8_t body[1024];
  char client_id[48];
  size_t n = put_string(body, "MQTT");
  body[n++] = 4;                                                       // protocol level: 3.1.1
  body[n++] = 2 | (set.user ? 0x80 : 0) | (set.password ? 0x40 : 0);   // clean session
  body[n++] = 0;                                                       // keep-alive: none
  body[n++] = 0;
  snprintf(client_id, sizeof client_id, "mqload-%d-%c%d", getpid(), c->role == subscriber ? 's' : 'p', c->id);
  n += put_string(body + n, client_id);
  if (set.user) n += put_string(body + n, set.user);
  if (set.password) n += put_string(body + n, set.password);
  send_packet(c, 0x10, body, n);
  c->state = awaiting_connack;
  flush(c);
}

// Topics: bench/all in a fan-out, else bench/site/<id>.
static const char site_topic[] = "bench/site/";

static void write_topic(char *into, size_t size, int id) {
  if (set.mode == fanout) snprintf(into, size, "bench/all");
  else snprintf(into, size, "%s%d", site_topic, id);
}

static void send_subscribe(client *c) {
  uint8_t body[128] = {0, 1};
  char filter[64] = "bench/#";
  if (set.mode != fanin) write_topic(filter, sizeof filter, c->id);
  size_t n = 2 + put_string(body + 2, filter);
  body[n++] = (uint8_t)set.qos;
  send_packet(c, 0x82, body, n);
  c->state = awaiting_suback;
  flush(c);
}

static void send_ack(client *c, uint8_t first, const uint8_t *packet_id) {
  uint8_t packet[4] = {first, 2, packet_id[0], packet_id[1]};
  stream_put(&c->stream, packet, sizeof packet);
}

// What is the same in all of a publisher's messages is made once.
static void make_head(client *c) {
  char topic[64];
  write_topic(topic, sizeof topic, c->id);
  c->head = grow(NULL, 8 + sizeof topic);
  c->head[0] = (uint8_t)(0x30 | set.qos << 1);
  c->head_length = 1 + put_length(c->head + 1, 2 + strlen(topic) + (set.qos > 0 ? 2 : 0) + (size_t)set.size);
  c->head_length += put_string(c->head + c->head_length, topic);
}

static void publish(client *c) {
  stream_put(&c->stream, c->head, c->head_length);
  if (set.qos > 0) {
    if (++c->packet_id == 0) c->packet_id = 1;
    uint8_t id[2] = {(uint8_t)(c->packet_id >> 8), (uint8_t)c->packet_id};
    stream_put(&c->stream, id, sizeof id);
  }
  uint64_t now = now_ns();
  memcpy(payload, &now, sizeof now);  // the receiver tells the latency from it
  stream_put(&c->stream, payload, (size_t)set.size);
  c->sent++;
  sent_total++;
}

// ---- closed loop ----------------------------------------------------------------------------------------------------

static uint64_t delivered_of(const client *c) {
  if (set.qos == 0 && set.mode == pair) return c->peer->received;
  if (set.qos > 0 || set.mode != fanout) return c->completed;
  uint64_t slowest = UINT64_MAX;
  for (int i = set.publishers; i < total; i++) {
    if (clients[i].received < slowest) slowest = clients[i].received;
  }
  return slowest;
}

static void fill_window(client *c) {
  if (!sending || set.rate > 0 || c->state != ready) return;
  uint64_t until = delivered_of(c) + (uint64_t)set.window;
  if (c->sent >= until) return;
  while (c->sent < until) publish(c);
  flush(c);
}

// Refills in groups: one message per write would measure system calls.
static void on_completed(client *c) {
  c->completed++;
  if (c->completed % 8 == 0 || c->sent - c->completed < (uint64_t)set.window / 2) fill_window(c);
}

static void on_delivered_without_ack(client *c, const uint8_t *topic, size_t topic_length) {
  if (set.mode == fanout) {
    fanout_moved = true;
  } else if (set.mode == pair) {
    if (c->received % 16 == 0 || set.window < 32) fill_window(c->peer);
  } else {
    int id = 0;
    for (size_t i = sizeof site_topic - 1; i < topic_length; i++) id = id * 10 + (topic[i] - '0');
    if (id < 0 || id >= set.publishers) fail("a message came back with a topic that was never sent");
    clients[id].completed++;
    fill_window(&clients[id]);
  }
}

// ---- packets in -----------------------------------------------------------------------------------------------------

static void on_publish(client *c, uint8_t first, const uint8_t *body, size_t length) {
  int qos = first >> 1 & 3;
  size_t topic_length = (size_t)(body[0] << 8 | body[1]), at = 2 + topic_length + (qos > 0 ? 2 : 0);
  if (length < 2 || length < at + sizeof(uint64_t)) fail("a message came back shorter than it was sent");
  c->received++;
  if (received_total++ % latency_every == 0) {
    uint64_t sent_at;
    memcpy(&sent_at, body + at, sizeof sent_at);
    samples_add(&latencies, now_ns() - sent_at);
  }
  if (qos == 1) send_ack(c, 0x40, body + at - 2);
  else if (qos == 2) send_ack(c, 0x50, body + at - 2);
  if (set.qos == 0) on_delivered_without_ack(c, body + 2, topic_length);
}

static void on_ready(client *c) {
  c->state = ready;
  ready_count++;
}

static void on_packet(client *c, uint8_t first, const uint8_t *body, size_t length) {
  switch (first >> 4) {
    case 2:  // CONNACK
      if (length < 2 || body[1] != 0) fail("the broker refused a connection with return code %d", length < 2 ? -1 : body[1]);
      if (c->role == subscriber) send_subscribe(c);
      else on_ready(c);
      break;
    case 9:  // SUBACK
      if (length < 3 || body[2] > 2) fail("the broker refused a subscription");
      on_ready(c);
      break;
    case 3: on_publish(c, first, body, length); break;
    case 4: on_completed(c); break;              // PUBACK
    case 5: send_ack(c, 0x62, body); break;      // PUBREC → PUBREL
    case 6: send_ack(c, 0x70, body); break;      // PUBREL → PUBCOMP
    case 7: on_completed(c); break;              // PUBCOMP
    default: fail("the broker sent a packet of type %d", first >> 4);
  }
}

static size_t on_bytes(void *owner, const uint8_t *bytes, size_t length) {
  size_t at = 0;
  while (length - at >= 2) {
    size_t body = at + 1, body_length = 0;
    int shift = 0;
    bool whole = false;
    while (body < length && shift <= 21 && !whole) {
      body_length |= (size_t)(bytes[body] & 127) << shift;
      shift += 7;
      whole = (bytes[body++] & 128) == 0;
    }
    if (!whole || length - body < body_length) break;
    on_packet(owner, bytes[at], bytes + body, body_length);
    at = body + body_length;
  }
  return at;
}

static void turn(int wait_ms) {
  static struct epoll_event events[512];
  int count = epoll_wait(epoll_fd, events, 512, wait_ms);
  for (int i = 0; i < count; i++) {
    client *c = events[i].data.ptr;
    if (events[i].events & EPOLLOUT) flush(c);
    if (!(events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) continue;
    if (!stream_read(&c->stream, on_bytes, c)) fail("the broker closed the connection of %s %d", c->role ? "subscriber" : "publisher", c->id);
    flush(c);
  }
  if (fanout_moved) {
    fanout_moved = false;
    for (int i = 0; i < set.publishers; i++) fill_window(&clients[i]);
  }
}

// ---- the run --------------------------------------------------------------------------------------------------------

static void await_ready(int wanted) {
  uint64_t deadline = now_ns() + (uint64_t)connect_timeout_seconds * 1000000000u;
  while (ready_count < wanted) {
    turn(100);
    if (now_ns() > deadline) fail("only %d of %d connections were ready after %d s", ready_count, wanted, connect_timeout_seconds);
  }
}

static void open_clients(enum role role, int first, int count) {
  for (int i = first; i < first + count; i++) {
    client *c = &clients[i];
    c->role = role;
    c->id = i - first;
    if (role == publisher) make_head(c);
    // One address has about 28,000 ports: beyond that, spread over 127.0.0.1, 127.0.0.2, …
    stream_open(&c->stream, &set.to, epoll_fd, c, total > 20000 ? 1 + i / 20000 : 0);
    send_connect(c);
    if (i % 16 == 15) turn(0);
  }
}

static void connect_all(void) {
  // Subscribers first, so that nothing published is missed.
  open_clients(subscriber, set.publishers, set.subscribers);
  await_ready(set.subscribers);
  open_clients(publisher, 0, set.publishers);
  await_ready(total);
  for (int i = 0; set.mode == pair && i < set.publishers; i++) {
    clients[i].peer = &clients[set.publishers + i];
    clients[set.publishers + i].peer = &clients[i];
  }
}

static void run_idle(double connect_cpu, long resident_before, double connect_seconds) {
  uint64_t end = now_ns() + (uint64_t)(set.seconds * 1e9);
  while (now_ns() < end) turn(50);
  long resident = resident_kib(set.pid);
  printf("{\"mode\":\"idle\",\"connections\":%d,\"connect_seconds\":%.3f,\"connects_per_second\":%.0f,\"connect_cpu_us\":%.1f,"
         "\"rss_kib_before\":%ld,\"rss_kib\":%ld,\"bytes_per_connection\":%.0f}\n",
         total, connect_seconds, total / connect_seconds, connect_cpu * 1e6 / total, resident_before, resident,
         (double)(resident - resident_before) * 1024 / total);
}

typedef struct mark {
  uint64_t at, sent, received;
  double cpu;
} mark;

static mark mark_now(void) {
  return (mark){.at = now_ns(), .sent = sent_total, .received = received_total, .cpu = cpu_seconds(set.pid)};
}

static void send_owed(uint64_t *last, double *owed) {
  static int next;
  uint64_t now = now_ns();
  *owed += (double)(now - *last) / 1e9 * set.rate;
  *last = now;
  if (*owed > set.rate / 20) *owed = set.rate / 20;  // after a stall: at most 50 ms are made up for
  for (; *owed >= 1; *owed -= 1) {
    client *c = &clients[next++ % set.publishers];
    publish(c);
    flush(c);
  }
}

static void run_for(double seconds) {
  uint64_t last = now_ns(), end = last + (uint64_t)(seconds * 1e9);
  double owed = 0;
  while (now_ns() < end) {
    if (set.rate > 0) send_owed(&last, &owed);
    turn(set.rate > 0 ? 0 : 10);
  }
}

// Waits for what is still under way, until nothing has come for 1.5 s.
static void drain(uint64_t expected) {
  uint64_t last_count = received_total, last_change = now_ns();
  while (received_total < expected && now_ns() - last_change < 1500000000u) {
    turn(50);
    if (received_total != last_count) {
      last_count = received_total;
      last_change = now_ns();
    }
  }
}

static void run_load(void) {
  for (int i = 0; i < set.publishers; i++) fill_window(&clients[i]);
  run_for(warm_up_seconds);
  latencies.count = 0;
  mark before = mark_now();
  run_for(set.seconds);
  mark after = mark_now();
  samples_sort(&latencies);
  double p50 = samples_percentile(&latencies, 0.5) / 1e3, p99 = samples_percentile(&latencies, 0.99) / 1e3;
  long resident = resident_kib(set.pid);
  sending = false;
  set.rate = 0;
  uint64_t expected = sent_total * (uint64_t)(set.mode == fanout ? set.subscribers : 1);
  drain(expected);
  double elapsed = (double)(after.at - before.at) / 1e9, cpu = after.cpu - before.cpu;
  uint64_t received = after.received - before.received;
  printf("{\"mode\":\"%s\",\"qos\":%d,\"publishers\":%d,\"subscribers\":%d,\"size\":%d,\"sent\":%llu,\"received\":%llu,\"lost\":%lld,"
         "\"sent_per_second\":%.0f,\"received_per_second\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f,"
         "\"cpu_seconds\":%.2f,\"cpu_share\":%.2f,\"cpu_us_per_message\":%.3f,\"rss_kib\":%ld}\n",
         mode_names[set.mode], set.qos, set.publishers, set.subscribers, set.size, (unsigned long long)sent_total,
         (unsigned long long)received_total, (long long)(expected - received_total), (double)(after.sent - before.sent) / elapsed,
         (double)received / elapsed, p50, p99, cpu, cpu / elapsed, received > 0 ? cpu * 1e6 / (double)received : 0, resident);
}

int main(int argc, char **argv) {
  parse_options(argc, argv);
  total = set.publishers + set.subscribers;
  payload = zeroed(1, (size_t)set.size);
  clients = zeroed((size_t)total, sizeof *clients);
  epoll_fd = epoll_create1(0);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  stream_prepare(&set.to);

  uint64_t start = now_ns();
  double cpu = cpu_seconds(set.pid);
  long resident = resident_kib(set.pid);
  connect_all();
  if (set.mode == idle) run_idle(cpu_seconds(set.pid) - cpu, resident, (double)(now_ns() - start) / 1e9);
  else run_load();
  return 0;
}
