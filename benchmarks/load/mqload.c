// mqload: an MQTT load generator in one thread. Every figure is counted at the receiving side. A run is closed-loop (each
// publisher keeps at most --window messages undelivered) or open-loop (--rate, each message in its own moment).
// `mqload --help` tells the options. Prints lines of JSON. Exit codes: 0 done, 1 could not run, 2 wrong usage.
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "mqtt.h"
#include "options.h"
#include "report.h"
#include "storm.h"
#include "stream.h"

enum role { publisher, subscriber };
enum state { opening, awaiting_connack, awaiting_suback, ready };

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
enum { latency_every = 16, warm_up_seconds = 1, connect_timeout_seconds = 120 };

// ---- packets out ----------------------------------------------------------------------------------------------------

__attribute__((noreturn)) static void fail_closed(const client *c) {
  fail("the broker closed the connection of %s %d", c->role ? "subscriber" : "publisher", c->id);
}

static void flush(client *c) {
  if (!stream_flush(&c->stream, epoll_fd, c)) fail_closed(c);
}

static void send_connect(client *c) {
  uint8_t bytes[packet_room];
  char client_id[48];
  snprintf(client_id, sizeof client_id, "mqload-%d-%c%d", getpid(), c->role == subscriber ? 's' : 'p', c->id);
  stream_put(&c->stream, bytes, mqtt_connect(bytes, client_id));
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
  uint8_t bytes[packet_room];
  char filter[64] = "bench/#";
  if (set.mode != fanin) write_topic(filter, sizeof filter, c->id);
  stream_put(&c->stream, bytes, mqtt_subscribe(bytes, filter));
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
  c->head_length = mqtt_publish_head(c->head, topic);
}

static void publish(client *c) {
  stream_put(&c->stream, c->head, c->head_length);
  uint8_t middle[3] = {0};  // packet id, no properties
  if (set.qos > 0) {
    if (++c->packet_id == 0) c->packet_id = 1;
    middle[0] = (uint8_t)(c->packet_id >> 8);
    middle[1] = (uint8_t)c->packet_id;
  }
  size_t from = set.qos > 0 ? 0 : 2, to = set.version == 5 ? 3 : 2;
  if (from < to) stream_put(&c->stream, middle + from, to - from);
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
  if (c->completed % 8 == 0 || c->sent - c->completed < (uint64_t)set.window / 2 || set.window == 1) fill_window(c);
}

static void on_delivered_without_ack(client *c, const publish_view *v) {
  if (set.mode == fanout) {
    fanout_moved = true;
  } else if (set.mode == pair) {
    if (c->received % 16 == 0 || set.window < 32) fill_window(c->peer);
  } else {
    int id = 0;
    for (size_t i = sizeof site_topic - 1; i < v->topic_length; i++) id = id * 10 + (v->topic[i] - '0');
    if (id < 0 || id >= set.publishers) fail("a message came back with a topic that was never sent");
    clients[id].completed++;
    fill_window(&clients[id]);
  }
}

// ---- packets in -----------------------------------------------------------------------------------------------------

static void on_publish(client *c, const packet *p) {
  publish_view v = mqtt_view_publish(p);
  c->received++;
  if (received_total++ % latency_every == 0) {
    uint64_t sent_at;
    memcpy(&sent_at, v.payload, sizeof sent_at);
    samples_add(&latencies, now_ns() - sent_at);
  }
  if (v.qos == 1) send_ack(c, 0x40, v.packet_id);
  else if (v.qos == 2) send_ack(c, 0x50, v.packet_id);
  if (set.qos == 0) on_delivered_without_ack(c, &v);
}

static void on_ready(client *c) {
  c->state = ready;
  ready_count++;
}

static void on_packet(client *c, const packet *p) {
  int type = p->first >> 4;
  if (type == type_publish) {
    on_publish(c, p);
    return;
  }
  mqtt_check_answer(p);
  switch (type) {
    case type_connack:
      if (c->role == subscriber) send_subscribe(c);
      else on_ready(c);
      break;
    case type_suback: on_ready(c); break;
    case type_puback: on_completed(c); break;
    case type_pubrec: send_ack(c, 0x62, p->body); break;   // PUBREL
    case type_pubrel: send_ack(c, 0x70, p->body); break;   // PUBCOMP
    case type_pubcomp: on_completed(c); break;
    default: fail("the broker sent a packet of type %d", type);
  }
}

static size_t on_bytes(void *owner, const uint8_t *bytes, size_t length) {
  size_t at = 0, whole;
  packet p;
  while ((whole = mqtt_next(bytes + at, length - at, &p)) > 0) {
    on_packet(owner, &p);
    at += whole;
  }
  return at;
}

static void on_event(client *c, uint32_t events) {
  if (c->state == opening) {
    enum stream_phase phase = stream_ready(&c->stream, &set.to);
    if (phase == stream_has_failed) fail_closed(c);
    if (phase == stream_is_open) send_connect(c);
    return;
  }
  if (events & EPOLLOUT) flush(c);
  if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
  if (!stream_read(&c->stream, on_bytes, c)) fail_closed(c);
  flush(c);
}

static void turn(int wait_ms) {
  static struct epoll_event events[512];
  int count = epoll_wait(epoll_fd, events, 512, wait_ms);
  for (int i = 0; i < count; i++) on_event(events[i].data.ptr, events[i].events);
  if (fanout_moved) {
    fanout_moved = false;
    for (int i = 0; i < set.publishers; i++) fill_window(&clients[i]);
  }
}

// ---- the run --------------------------------------------------------------------------------------------------------

static const uint64_t ms = 1000000u;  // in nanoseconds

static void await_ready(int wanted, uint64_t deadline) {
  while (ready_count < wanted) {
    turn(100);
    if (now_ns() > deadline) fail("only %d of %d connections were ready after %d s", ready_count, total, connect_timeout_seconds);
  }
}

static void open_clients(enum role role, int first, int count, uint64_t deadline) {
  int ready_before = ready_count;
  for (int i = first; i < first + count; i++) {
    client *c = &clients[i];
    c->role = role;
    c->id = i - first;
    if (role == publisher) make_head(c);
    // One address has about 28,000 ports: beyond that, spread over 127.0.0.1, 127.0.0.2, …
    stream_open(&c->stream, &set.to, epoll_fd, c, total > 20000 ? 1 + i / 20000 : 0);
    on_event(c, 0);
    // A listener's queue is short, and whoever finds it full is not asked again for a second.
    await_ready(ready_before + i - first + 1 - set.opening, deadline);
  }
  await_ready(ready_before + count, deadline);
}

static void connect_all(void) {
  uint64_t deadline = now_ns() + (uint64_t)connect_timeout_seconds * 1000 * ms;
  // Subscribers first, so that nothing published is missed.
  open_clients(subscriber, set.publishers, set.subscribers, deadline);
  open_clients(publisher, 0, set.publishers, deadline);
  for (int i = 0; set.mode == pair && i < set.publishers; i++) {
    clients[i].peer = &clients[set.publishers + i];
    clients[set.publishers + i].peer = &clients[i];
  }
}

// A line when all are connected, another one at the end.
static void run_idle(double connect_cpu, long resident_before, double connect_seconds) {
  printf("{\"mode\":\"idle\",\"connections\":%d,\"connect_seconds\":%.3f,\"connects_per_second\":%.0f,\"connect_cpu_us\":%.1f}\n",
         total, connect_seconds, total / connect_seconds, connect_cpu * 1e6 / total);
  fflush(stdout);
  uint64_t end = now_ns() + (uint64_t)(set.seconds * 1e9);
  double cpu = cpu_seconds(set.pid);
  while (now_ns() < end) turn(50);
  long resident = resident_kib(set.pid);
  printf("{\"rss_kib_before\":%ld,\"rss_kib\":%ld,\"bytes_per_connection\":%.0f,\"idle_cpu_share\":%.4f}\n", resident_before, resident,
         (double)(resident - resident_before) * 1024 / total, (cpu_seconds(set.pid) - cpu) / set.seconds);
}

typedef struct mark {
  uint64_t at, sent, received;
  double cpu, own_cpu;
} mark;

static mark mark_now(void) {
  return (mark){.at = now_ns(), .sent = sent_total, .received = received_total, .cpu = cpu_seconds(set.pid), .own_cpu = cpu_seconds(getpid())};
}

// Sends what is due, from one publisher after the other.
static void send_due(uint64_t now) {
  static int next;
  static double due;
  if (due < (double)(now - 50 * ms)) due = (double)now;  // the start, or a stall that cannot be made up for
  for (; due <= (double)now; due += 1e9 / set.rate) {
    client *c = &clients[next++ % set.publishers];
    publish(c);
    flush(c);
  }
}

// A paced load polls: if it slept, the broker would pay for waking it.
static void run_for(double seconds) {
  uint64_t now = now_ns(), end = now + (uint64_t)(seconds * 1e9);
  for (; now < end; now = now_ns()) {
    if (set.rate > 0) send_due(now);
    turn(set.rate > 0 ? 0 : 10);
  }
}

// Waits for what is still under way, until nothing has come for 1.5 s.
static void drain(uint64_t expected) {
  uint64_t last_count = received_total, last_change = now_ns();
  while (received_total < expected && now_ns() - last_change < 1500 * ms) {
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
  double elapsed = (double)(after.at - before.at) / 1e9, cpu = after.cpu - before.cpu, own_cpu = after.own_cpu - before.own_cpu;
  uint64_t received = after.received - before.received;
  double per_message = received > 0 ? 1e6 / (double)received : 0;
  printf("{\"mode\":\"%s\",\"qos\":%d,\"publishers\":%d,\"subscribers\":%d,\"size\":%d,\"sent\":%llu,\"received\":%llu,\"lost\":%lld,"
         "\"sent_per_second\":%.0f,\"received_per_second\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f,"
         "\"cpu_seconds\":%.3f,\"cpu_share\":%.3f,\"cpu_us_per_message\":%.4f,\"load_cpu_us_per_message\":%.4f,\"rss_kib\":%ld}\n",
         mode_names[set.mode], set.qos, set.publishers, set.subscribers, set.size, (unsigned long long)sent_total,
         (unsigned long long)received_total, (long long)(expected - received_total), (double)(after.sent - before.sent) / elapsed,
         (double)received / elapsed, p50, p99, cpu, cpu / elapsed, cpu * per_message, own_cpu * per_message, resident);
}

int main(int argc, char **argv) {
  parse_options(argc, argv);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  stream_prepare(&set.to);
  if (set.mode == storm) {
    run_storm();
    return 0;
  }
  total = set.publishers + set.subscribers;
  payload = zeroed(1, (size_t)set.size);
  clients = zeroed((size_t)total, sizeof *clients);
  epoll_fd = epoll_create1(0);
  uint64_t start = now_ns();
  double cpu = cpu_seconds(set.pid);
  long resident = resident_kib(set.pid);
  connect_all();
  if (set.mode == idle) run_idle(cpu_seconds(set.pid) - cpu, resident, (double)(now_ns() - start) / 1e9);
  else run_load();
  return 0;
}
