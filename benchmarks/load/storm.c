#define _GNU_SOURCE
#include "storm.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "mqtt.h"
#include "options.h"
#include "report.h"

// One connection at a time, again and again.
typedef struct place {
  stream stream;
  int id, round;
  uint64_t began;
  bool signed_in, is_asked;
} place;

// A closed connection keeps its port for a minute: many connects a second need the ports of several addresses.
enum { warm_up_seconds = 1, addresses = 16, longest_connect_seconds = 30 };

static place *places;
static int epoll_fd;
static uint64_t connected, resumed;
static samples durations;

static void begin(place *p) {
  p->signed_in = p->is_asked = false;
  p->began = now_ns();
  p->round++;
  stream_open(&p->stream, &set.to, epoll_fd, p, 1 + (p->id + p->round) % addresses);
}

static void ask(place *p) {
  uint8_t bytes[packet_room];
  char client_id[48];
  snprintf(client_id, sizeof client_id, "storm-%d-%d-%d", getpid(), p->id, p->round % 1000);
  stream_put(&p->stream, bytes, mqtt_connect(bytes, client_id));
  p->is_asked = true;
}

static size_t on_bytes(void *owner, const uint8_t *bytes, size_t length) {
  place *p = owner;
  packet answer;
  size_t whole = mqtt_next(bytes, length, &answer);
  if (whole == 0) return 0;
  if (answer.first >> 4 != type_connack) fail("the broker answered a CONNECT with a packet of type %d", answer.first >> 4);
  mqtt_check_answer(&answer);
  p->signed_in = true;
  return whole;
}

// One step of a connection. True: it has ended well and another one may begin.
static bool advance(place *p) {
  stream *s = &p->stream;
  if (!p->is_asked) {
    enum stream_phase phase = stream_ready(s, &set.to);
    if (phase == stream_has_failed) fail("the broker closed a connection before it was open");
    if (phase != stream_is_open) return false;
    ask(p);
    if (!stream_flush(s, epoll_fd, p)) fail("the broker closed a connection before its CONNECT");
    return false;
  }
  if (!stream_read(s, on_bytes, p) && !p->signed_in) fail("the broker closed a connection instead of a CONNACK");
  if (!p->signed_in) return false;
  connected++;
  if (stream_was_resumed(s)) resumed++;
  samples_add(&durations, now_ns() - p->began);
  uint8_t goodbye[2];
  stream_put(s, goodbye, mqtt_disconnect(goodbye));
  stream_flush(s, epoll_fd, p);
  stream_close(s);
  return true;
}

static void turn(void) {
  static struct epoll_event events[512];
  int count = epoll_wait(epoll_fd, events, 512, 1000);
  for (int i = 0; i < count; i++) {
    place *p = events[i].data.ptr;
    if (!advance(p)) continue;
    begin(p);
    advance(p);
  }
}

static void run_for(double seconds) {
  uint64_t end = now_ns() + (uint64_t)(seconds * 1e9), last_change = now_ns(), last = connected;
  while (now_ns() < end) {
    turn();
    if (connected != last) last_change = now_ns();
    last = connected;
    if (now_ns() - last_change > (uint64_t)longest_connect_seconds * 1000000000u) fail("no connection came about for %d s", longest_connect_seconds);
  }
}

void run_storm(void) {
  epoll_fd = epoll_create1(0);
  places = zeroed((size_t)set.opening, sizeof *places);
  // The first one alone: it brings the session that the others take up.
  begin(&places[0]);
  advance(&places[0]);
  while (connected == 0) turn();
  for (int i = 1; i < set.opening; i++) {
    places[i].id = i;
    begin(&places[i]);
    advance(&places[i]);
  }
  run_for(warm_up_seconds);
  durations.count = 0;
  uint64_t connected_before = connected, resumed_before = resumed, start = now_ns();
  double cpu = cpu_seconds(set.pid), own_cpu = cpu_seconds(getpid());
  run_for(set.seconds);
  double elapsed = (double)(now_ns() - start) / 1e9, count = (double)(connected - connected_before);
  cpu = cpu_seconds(set.pid) - cpu;
  own_cpu = cpu_seconds(getpid()) - own_cpu;
  if (count == 0) fail("no connection came about in %.1f s", elapsed);
  samples_sort(&durations);
  printf("{\"mode\":\"storm\",\"connects\":%.0f,\"connects_per_second\":%.0f,\"connect_cpu_us\":%.2f,\"load_cpu_us\":%.2f,"
         "\"resumed_percent\":%.1f,\"p50_us\":%.0f,\"p99_us\":%.0f,\"cpu_share\":%.3f,\"rss_kib\":%ld}\n",
         count, count / elapsed, cpu * 1e6 / count, own_cpu * 1e6 / count, (double)(resumed - resumed_before) * 100 / count,
         samples_percentile(&durations, 0.5) / 1e3, samples_percentile(&durations, 0.99) / 1e3, cpu / elapsed, resident_kib(set.pid));
}
