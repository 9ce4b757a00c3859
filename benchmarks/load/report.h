// report: what the broker's process used, and percentiles of latencies.
#ifndef DAVYLAMP_REPORT_H
#define DAVYLAMP_REPORT_H

#include <stddef.h>
#include <stdint.h>

typedef struct samples {
  uint64_t *values;
  size_t count, capacity;
} samples;

void samples_add(samples *s, uint64_t value);
void samples_sort(samples *s);
// `share` from 0 to 1. Sort first. 0 when there is none.
double samples_percentile(const samples *s, double share);

// User and system seconds of all threads of a process so far; 0 for pid 0.
double cpu_seconds(int pid);
// Resident memory of a process in KiB; 0 for pid 0.
long resident_kib(int pid);

#endif
