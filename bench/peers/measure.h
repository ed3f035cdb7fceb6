// What the peers share: time by the wall and by the processor, files read whole, and one JSON line as the answer.
#ifndef MEASURE_H
#define MEASURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

typedef struct {
  double wall;
  double cpu;
} Instant;

static inline Instant now(void) {
  struct timespec time;
  struct rusage usage;
  clock_gettime(CLOCK_MONOTONIC, &time);
  getrusage(RUSAGE_SELF, &usage);
  Instant instant = {
      .wall = time.tv_sec + time.tv_nsec / 1e9,
      .cpu = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
  };
  return instant;
}

static inline void fail(const char *what) {
  perror(what);
  exit(1);
}

/** The bytes of a file, in memory of their own. */
static inline uint8_t *read_whole(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (!file) fail(path);
  fseek(file, 0, SEEK_END);
  *size = ftell(file);
  rewind(file);
  uint8_t *bytes = malloc(*size + 64);
  if (!bytes || fread(bytes, 1, *size, file) != *size) fail(path);
  fclose(file);
  return bytes;
}

static inline void answer(double wall, double cpu, uint64_t units, uint64_t check) {
  printf("{\"seconds\":%.6f,\"cpuSeconds\":%.6f,\"units\":%llu,\"check\":\"%llx\"}\n", wall, cpu,
         (unsigned long long)units, (unsigned long long)check);
}

/** FNV-1a over 32-bit numbers: equal results of ours and the peer's show that both did the same work. */
static inline uint64_t check_number(uint64_t check, uint32_t number) {
  return (check ^ number) * 0x100000001b3ull;
}
static const uint64_t check_start = 0xcbf29ce484222325ull;

#endif
