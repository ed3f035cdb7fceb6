// write-sync DATA ENDS FILE GROUP: writes DATA to FILE, a chunk a write, with fdatasync after every GROUP bytes:
// what any store has to do at the least before it may acknowledge.
#define _GNU_SOURCE
#include "measure.h"
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  size_t size, ends_bytes;
  uint8_t *data = read_whole(argv[1], &size);
  uint32_t *ends = (uint32_t *)read_whole(argv[2], &ends_bytes);
  const size_t group = strtoul(argv[4], NULL, 10);
  const Instant before = now();
  const int file = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file < 0) fail(argv[3]);
  size_t start = 0, unsynced = 0;
  for (size_t index = 0; index < ends_bytes / 4; index++) {
    const size_t length = ends[index] - start;
    if (write(file, data + start, length) != (ssize_t)length) fail("write");
    start = ends[index];
    unsynced += length;
    if (unsynced >= group) {
      if (fdatasync(file) != 0) fail("fdatasync");
      unsynced = 0;
    }
  }
  if (fdatasync(file) != 0) fail("fdatasync");
  const Instant after = now();
  close(file);
  answer(after.wall - before.wall, after.cpu - before.cpu, size, 0);
  return 0;
}
