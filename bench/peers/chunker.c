// chunker TABLE DATA MIN AVERAGE MAX STRICT LOOSE: FastCDC with a 32-bit Gear hash, two bytes a step, over a window
// of 4 MiB that is refilled outside the measured time. Answers how many bytes, and a check of all the chunks' ends.
#include "measure.h"
#include <string.h>

static uint32_t table[256];
static uint32_t shifted[256];
static const size_t window_bytes = 4 * 1024 * 1024;

static inline const uint8_t *scan(const uint8_t *at, const uint8_t *to, uint32_t mask, uint32_t *hash) {
  uint32_t fp = *hash;
  const uint32_t shifted_mask = mask << 1;
  for (; at + 8 <= to; at += 8) {
#pragma GCC unroll 4
    for (int pair = 0; pair < 8; pair += 2) {
      fp = (fp << 2) + shifted[at[pair]];
      if (!(fp & shifted_mask)) return at + pair + 1;
      fp += table[at[pair + 1]];
      if (!(fp & mask)) return at + pair + 2;
    }
  }
  for (; at < to; at++) {
    fp = (fp << 1) + table[*at];
    if (!(fp & mask)) return at + 1;
  }
  *hash = fp;
  return NULL;
}

int main(int argc, char **argv) {
  if (argc != 8) return 2;
  size_t table_bytes, size;
  uint8_t *words = read_whole(argv[1], &table_bytes);
  uint8_t *data = read_whole(argv[2], &size);
  const size_t min = strtoul(argv[3], NULL, 10), average = strtoul(argv[4], NULL, 10), max = strtoul(argv[5], NULL, 10);
  const uint32_t strict = strtoul(argv[6], NULL, 10), loose = strtoul(argv[7], NULL, 10);
  for (int byte = 0; byte < 256; byte++) {
    memcpy(&table[byte], words + 4 * byte, 4);
    shifted[byte] = table[byte] << 1;
  }

  uint8_t *window = malloc(window_bytes);
  size_t held = 0, taken = 0;
  uint64_t check = check_start;
  double wall = 0, cpu = 0;
  while (taken < size || held > 0) {
    const size_t more = size - taken < window_bytes - held ? size - taken : window_bytes - held;
    memcpy(window + held, data + taken, more);
    taken += more;
    held += more;
    const int last = taken == size;

    const Instant before = now();
    size_t start = 0;
    while (start < held) {
      const size_t limit = start + max < held ? start + max : held;
      const uint8_t *end = NULL;
      if (start + min < limit) {
        uint32_t hash = 0;
        const size_t normal = start + average < limit ? start + average : limit;
        end = scan(window + start + min, window + normal, strict, &hash);
        if (!end) end = scan(window + normal, window + limit, loose, &hash);
      }
      if (!end && limit < start + max && !last) break;
      const size_t stop = end ? (size_t)(end - window) : limit;
      check = check_number(check, stop - start);
      start = stop;
    }
    const Instant after = now();
    wall += after.wall - before.wall;
    cpu += after.cpu - before.cpu;
    memmove(window, window + start, held - start);
    held -= start;
  }
  answer(wall, cpu, size, check);
  return 0;
}
