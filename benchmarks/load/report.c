#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *file = fopen(path, "r");
  if (file == NULL) fail("--pid %d: no such process", pid);
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  fclose(file);
  // The name stands in parentheses and may hold spaces: count from behind it. utime and stime are fields 14 and 15.
  const char *behind_name = strrchr(text, ')');
  unsigned long user, system;
  if (behind_name == NULL || sscanf(behind_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2) {
    fail("%s cannot be read", path);
  }
  return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
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
