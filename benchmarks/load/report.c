#define _GNU_SOURCE
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "stream.h"

void samples_add(samples *s, uint64_t value) {
  if (s->count == s->capacity) {
    s->capacity = s->capacity ? s->capacity * 2 : 65536;
    s->values = grow(s->values, s->capacity * sizeof *s->values);
  }
  s->values[s->count++] = value;
}

static int ascending(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

void samples_sort(samples *s) {
  if (s->count > 0) qsort(s->values, s->count, sizeof *s->values, ascending);
}

double samples_percentile(const samples *s, double share) {
  if (s->count == 0) return 0;
  return (double)s->values[(size_t)((double)(s->count - 1) * share)];
}

double cpu_seconds(int pid) {
  if (pid == 0) return 0;
  clockid_t clock;
  struct timespec t;
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0) fail("--pid %d: no such process", pid);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

long resident_kib(int pid) {
  if (pid == 0) return 0;
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/statm", pid);
  FILE *file = fopen(path, "r");
  if (file == NULL) fail("--pid %d: no such process", pid);
  long pages = 0;
  int found = fscanf(file, "%*d %ld", &pages);
  fclose(file);
  return found == 1 ? pages * (sysconf(_SC_PAGESIZE) / 1024) : 0;
}
