// https-get PORT CONNECTIONS DEPTH REQUESTS FILES PREFIX: asks nginx on this machine for /PREFIX0 … /PREFIX(FILES-1),
// REQUESTS in all, over CONNECTIONS TLS 1.3 connections of one thread each with DEPTH requests sent ahead on each.
// The least a client can do: no certificate is checked, of the answers only their length is read.
#define _GNU_SOURCE
#include "measure.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

static int port, connections, depth, requests, files;
static const char *prefix;
static uint64_t received[64];

static void ask(SSL *tls, int from, int count) {
  static __thread char text[16384];
  size_t length = 0;
  for (int index = from; index < from + count; index++) {
    length += snprintf(text + length, sizeof text - length, "GET /%s%d HTTP/1.1\r\nHost: box\r\n\r\n", prefix,
                       index % files);
  }
  if (SSL_write(tls, text, length) != (int)length) fail("SSL_write");
}

/** Reads `count` answers; `buffer` keeps what was read past them. */
static void hear(SSL *tls, int count, char *buffer, size_t room, size_t *held, uint64_t *bytes) {
  while (count > 0) {
    char *end;
    buffer[*held] = 0;
    while (!(end = strstr(buffer, "\r\n\r\n"))) {
      const int got = SSL_read(tls, buffer + *held, room - *held - 1);
      if (got <= 0) fail("SSL_read");
      *held += got;
      buffer[*held] = 0;
    }
    const char *field = strcasestr(buffer, "content-length:");
    if (strncmp(buffer, "HTTP/1.1 200", 12) != 0 || !field || field > end) fail("answer");
    size_t left = strtoul(field + 15, NULL, 10);
    *bytes += left;
    size_t used = end + 4 - buffer;
    while (*held - used < left) {
      left -= *held - used;
      const int got = SSL_read(tls, buffer, room - 1);
      if (got <= 0) fail("SSL_read");
      *held = got;
      used = 0;
    }
    used += left;
    memmove(buffer, buffer + used, *held - used);
    *held -= used;
    count--;
  }
}

static void *run(void *argument) {
  const int number = (int)(intptr_t)argument;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  const int link = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  setsockopt(link, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(link, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, 128 * 1024);
  SSL *tls = SSL_new(context);
  SSL_set_fd(tls, link);
  if (SSL_connect(tls) != 1) fail("SSL_connect");

  const size_t room = 512 * 1024;
  char *buffer = malloc(room);
  size_t held = 0;
  const int share = requests / connections;
  const int first = number * share;
  int asked = 0, heard = 0;
  while (heard < share) {
    int more = depth - (asked - heard);
    if (more > share - asked) more = share - asked;
    if (more > 0) ask(tls, first + asked, more);
    asked += more;
    // Half a window at a time, so that neither side ever runs dry.
    int count = asked - heard;
    if (count > (depth + 1) / 2) count = (depth + 1) / 2;
    hear(tls, count, buffer, room, &held, &received[number]);
    heard += count;
  }
  SSL_shutdown(tls);
  close(link);
  return NULL;
}

int main(int argc, char **argv) {
  if (argc != 7) return 2;
  port = atoi(argv[1]), connections = atoi(argv[2]), depth = atoi(argv[3]), requests = atoi(argv[4]);
  files = atoi(argv[5]), prefix = argv[6];
  if (connections < 1 || connections > 64 || depth < 1 || depth > 200) return 2;
  pthread_t threads[64];
  const Instant before = now();
  for (int index = 0; index < connections; index++) {
    pthread_create(&threads[index], NULL, run, (void *)(intptr_t)index);
  }
  uint64_t bytes = 0;
  for (int index = 0; index < connections; index++) {
    pthread_join(threads[index], NULL);
    bytes += received[index];
  }
  const Instant after = now();
  answer(after.wall - before.wall, after.cpu - before.cpu, bytes, 0);
  return 0;
}
