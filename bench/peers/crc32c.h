// CRC-32C by the processor's instruction where it has one: the loop everybody writes first, one stream at a time.
#ifndef CRC32C_H
#define CRC32C_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static uint32_t crc32c(const uint8_t *bytes, size_t length) {
  uint64_t crc = 0xffffffff;
#if defined(__SSE4_2__)
  for (; length >= 8; length -= 8, bytes += 8) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    crc = __builtin_ia32_crc32di(crc, word);
  }
  for (; length > 0; length--) crc = __builtin_ia32_crc32qi(crc, *bytes++);
#elif defined(__ARM_FEATURE_CRC32)
  for (; length >= 8; length -= 8, bytes += 8) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    crc = __builtin_aarch64_crc32cx(crc, word);
  }
  for (; length > 0; length--) crc = __builtin_aarch64_crc32cb(crc, *bytes++);
#else
  static uint32_t table[256];
  if (!table[1]) {
    for (uint32_t byte = 0; byte < 256; byte++) {
      uint32_t value = byte;
      for (int bit = 0; bit < 8; bit++) value = value >> 1 ^ (value & 1 ? 0x82f63b78 : 0);
      table[byte] = value;
    }
  }
  for (; length > 0; length--) crc = crc >> 8 ^ table[(crc ^ *bytes++) & 0xff];
#endif
  return ~(uint32_t)crc;
}

#endif
