// read-chunks FILE ENDS ORDER: reads the chunks of FILE, one pread each, in the order given (little-endian 32-bit
// numbers of chunks), and computes the CRC-32C of each, as a store must that hands out no damaged chunk.
#define _GNU_SOURCE
#include "crc32c.h"
#include "measure.h"
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  size_t ends_bytes, order_bytes;
  uint32_t *ends = (uint32_t *)read_whole(argv[2], &ends_bytes);
  uint32_t *order = (uint32_t *)read_whole(argv[3], &order_bytes);
  uint8_t *buffer = malloc(1 << 21);
  uint64_t bytes = 0, check = check_start;
  const Instant before = now();
  const int file = open(argv[1], O_RDONLY);
  if (file < 0) fail(argv[1]);
  for (size_t index = 0; index < order_bytes / 4; index++) {
    const uint32_t chunk = order[index];
    const size_t start = chunk == 0 ? 0 : ends[chunk - 1];
    const size_t length = ends[chunk] - start;
    if (pread(file, buffer, length, start) != (ssize_t)length) fail("pread");
    check = check_number(check, crc32c(buffer, length));
    bytes += length;
  }
  const Instant after = now();
  answer(after.wall - before.wall, after.cpu - before.cpu, bytes, check);
  return 0;
}
