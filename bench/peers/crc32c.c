// crc32c DATA BLOCK: CRC-32C of each block of BLOCK bytes.
#include "crc32c.h"
#include "measure.h"

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  size_t size;
  uint8_t *data = read_whole(argv[1], &size);
  const size_t block = strtoul(argv[2], NULL, 10);
  uint64_t check = check_start;
  const Instant before = now();
  for (size_t at = 0; at < size; at += block) {
    check = check_number(check, crc32c(data + at, size - at < block ? size - at : block));
  }
  const Instant after = now();
  answer(after.wall - before.wall, after.cpu - before.cpu, size, check);
  return 0;
}
