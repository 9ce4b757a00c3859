#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const mode_names[] = {"pair", "fanin", "fanout", "idle"};

settings set = {
  .mode = pair, .publishers = 1, .subscribers = 1, .size = 64, .window = 256, .seconds = 5,
  .to = {.host = "127.0.0.1", .port = 1883},
};

static const char help[] =
  "mqload [--option value]...\n"
  "  --mode pair|fanin|fanout|idle   n to n, n to 1, 1 to n, or connections only [pair]\n"
  "  --pubs N  --subs N              publishers, subscribers [1, 1]\n"
  "  --qos 0|1|2  --size BYTES       of each message [0, 64]\n"
  "  --seconds S                     measured, after one second of warm-up [5]\n"
  "  --window N                      undelivered messages per publisher [256]\n"
  "  --rate N                        messages per second of all publishers; 0 = as many as the window lets through [0]\n"
  "  --host IPV4  --port N           the broker [127.0.0.1, 1883]\n"
  "  --pid N                         the broker's process: also tells its CPU seconds and memory\n"
  "  --user NAME  --pass TEXT        credentials\n"
  "  --tls CAFILE|-                  TLS; - does not check the broker's certificate\n"
  "  --cert FILE  --key FILE         client certificate\n";

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

static enum mode mode_of(const char *text) {
  for (int m = pair; m <= idle; m++) {
    if (strcmp(text, mode_names[m]) == 0) return (enum mode)m;
  }
  usage("--mode", "must be pair, fanin, fanout or idle");
}

static void set_option(const char *option, const char *value) {
  struct { const char *name; int *into; int minimum, maximum; } numbers[] = {
    {"--pubs", &set.publishers, 1, 1000000}, {"--subs", &set.subscribers, 1, 1000000}, {"--qos", &set.qos, 0, 2},
    {"--size", &set.size, 8, 16777216}, {"--window", &set.window, 1, 60000}, {"--port", &set.to.port, 1, 65535}, {"--pid", &set.pid, 1, 1 << 30},
  };
  struct { const char *name; const char **into; } texts[] = {
    {"--host", &set.to.host}, {"--user", &set.user}, {"--pass", &set.password},
    {"--tls", &set.to.ca_file}, {"--cert", &set.to.certificate_file}, {"--key", &set.to.key_file},
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
  if (strcmp(option, "--mode") == 0) set.mode = mode_of(value);
  else if (strcmp(option, "--seconds") == 0) set.seconds = number_of(option, value, 0.1, 86400);
  else if (strcmp(option, "--rate") == 0) set.rate = number_of(option, value, 0, 1e8);
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
  if (set.mode == pair) set.subscribers = set.publishers;
  if (set.mode == fanin) set.subscribers = 1;
  if (set.mode == fanout) set.publishers = 1;
  if (set.mode == idle) set.subscribers = 0;
}
