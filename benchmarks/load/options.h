// options: what a run of mqload is, as the command line says it.
#ifndef DAVYLAMP_OPTIONS_H
#define DAVYLAMP_OPTIONS_H

#include "stream.h"

enum mode { pair, fanin, fanout, idle, storm };
extern const char *const mode_names[];

typedef struct settings {
  enum mode mode;
  int publishers, subscribers;
  int qos;
  int size;            // bytes of a payload
  int version;         // of MQTT: 4 is 3.1.1, 5 is 5
  int keep_alive;      // seconds; 0 = none
  int persistent;      // sessions that stay
  int window;          // undelivered messages per publisher
  int pid;             // the broker's process; 0 = not said
  double seconds;
  int opening;         // connections that are being opened at a time
  double rate;         // messages per second of all publishers; 0 = closed loop
  const char *user, *password;
  endpoint to;
} settings;

extern settings set;

// Fills `set`. Ends the program after --help (exit code 0) and after wrong usage (2).
void parse_options(int argc, char **argv);

#endif
