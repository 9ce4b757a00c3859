#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const mode_names[] = {"pair", "fanin", "fanout", "idle", "storm", NULL};

settings set = {
  .mode = pair, .publishers = 1, .subscribers = -1, .size = 64, .window = 256, .seconds = 5,
  .version = 4, .opening = 64,
  .to = {.host = "127.0.0.1", .port = 1883},
};

static const char help[] =
  "mqload [--option value]...\n"
  "  --mode pair|fanin|fanout        n to n, n to 1, 1 to n [pair]\n"
  "         idle|storm               connections only: opened and held, or opened and closed again and again\n"
  "  --pubs N  --subs N              publishers, subscribers [1, 1]; idle: connections without and with a subscription\n"
  "  --qos 0|1|2  --size BYTES       of each message [0, 64]\n"
  "  --seconds S                     measured, after one second of warm-up [5]\n"
  "  --window N                      undelivered messages per publisher [256]\n"
  "  --rate N                        messages per second of all publishers; 0 = as many as the window lets through [0]\n"
  "  --version 4|5                   MQTT 3.1.1 or 5 [4]\n"
  "  --keep-alive S                  that the connections promise; nothing is sent to keep it; 0 = none [0]\n"
  "  --persistent 0|1                sessions that stay, so that a broker with a journal keeps what waits for them [0]\n"
  "  --opening N                     connections that are being opened at a time [64]\n"
  "  --host IPV4  --port N           the broker [127.0.0.1, 1883]\n"
  "  --pid N                         the broker's process: also tells its CPU seconds and memory\n"
  "  --user NAME  --pass TEXT        credentials\n"
  "  --tls CAFILE|-                  TLS; - does not check the broker's certificate\n"
  "  --cert FILE  --key FILE         client certificate\n"
  "  --tls-version 1.2|1.3           this version and no other\n"
  "  --resume never|ticket|id        TLS sessions of later connections: full handshakes, tickets, session ids (1.2) [never]\n"
  "  --ws PATH                       WebSocket\n";

__attribute__((noreturn)) static void usage(const char *option, const char *why) {
  fprintf(stderr, "mqload: %s: %s; see mqload --help\n", option, why);
  exit(2);
}

static double number_of(const char *option, const char *text, double minimum, double maximum) {
  char *end;
  double value = strtod(text, &end);
  if (end == text || *end != 0 || !(value >= minimum && value <= maximum)) usage(option, "not a number in its range");
  return value;
}

static const char *const tls_versions[] = {"1.2", "1.3", NULL};
static const char *const resumptions[] = {"never", "ticket", "id", NULL};

// The place of `text` among names that end with NULL.
static int one_of(const char *option, const char *text, const char *const *names) {
  for (int i = 0; names[i] != NULL; i++) {
    if (strcmp(text, names[i]) == 0) return i;
  }
  usage(option, "not one of its values");
}

static void set_option(const char *option, const char *value) {
  struct { const char *name; int *into; int minimum, maximum; } numbers[] = {
    {"--pubs", &set.publishers, 0, 1000000}, {"--subs", &set.subscribers, 0, 1000000}, {"--qos", &set.qos, 0, 2},
    {"--version", &set.version, 4, 5}, {"--keep-alive", &set.keep_alive, 0, 65535}, {"--opening", &set.opening, 1, 10000},
    {"--persistent", &set.persistent, 0, 1},
    {"--size", &set.size, 8, 16777216}, {"--window", &set.window, 1, 60000}, {"--port", &set.to.port, 1, 65535}, {"--pid", &set.pid, 1, 1 << 30},
  };
  struct { const char *name; const char **into; } texts[] = {
    {"--host", &set.to.host}, {"--user", &set.user}, {"--pass", &set.password},
    {"--tls", &set.to.ca_file}, {"--cert", &set.to.certificate_file}, {"--key", &set.to.key_file},
    {"--ws", &set.to.websocket_path},
  };
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    if (strcmp(option, numbers[i].name) == 0) {
      *numbers[i].into = (int)number_of(option, value, numbers[i].minimum, numbers[i].maximum);
      return;
    }
  }
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    if (strcmp(option, texts[i].name) == 0) {
      if (strlen(value) > 400) usage(option, "too long");
      *texts[i].into = value;
      return;
    }
  }
  if (strcmp(option, "--mode") == 0) set.mode = (enum mode)one_of(option, value, mode_names);
  else if (strcmp(option, "--seconds") == 0) set.seconds = number_of(option, value, 0.1, 86400);
  else if (strcmp(option, "--rate") == 0) set.rate = number_of(option, value, 0, 1e8);
  else if (strcmp(option, "--tls-version") == 0) set.to.tls_version = one_of(option, value, tls_versions) == 0 ? 12 : 13;
  else if (strcmp(option, "--resume") == 0) set.to.resumption = (enum resumption)one_of(option, value, resumptions);
  else usage(option, "unknown option");
}

void parse_options(int argc, char **argv) {
  for (int i = 1; i < argc; i += 2) {
    if (strcmp(argv[i], "--help") == 0) {
      fputs(help, stdout);
      exit(0);
    }
    if (i + 1 == argc) usage(argv[i], "needs a value");
    set_option(argv[i], argv[i + 1]);
  }
  if (set.subscribers < 0) set.subscribers = set.mode == idle ? 0 : 1;
  if (set.mode == pair) set.subscribers = set.publishers;
  if (set.mode == fanin) set.subscribers = 1;
  if (set.mode == fanout) set.publishers = 1;
  if (set.mode == storm) set.publishers = set.subscribers = 0;
  bool has_both = set.publishers > 0 && set.subscribers > 0;
  if (set.mode < idle && !has_both) usage("--pubs", "a load needs a publisher and a subscriber");
  if (set.to.resumption == resume_by_id) set.to.tls_version = 12;
}
