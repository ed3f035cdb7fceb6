import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { type Program, thisMachine } from '../scripts/lan/processes.ts';
import { NodeClock } from '../src/platform/node-clock.ts';
import { nodeEntropy } from '../src/platform/node-entropy.ts';
import { createIdentity } from '../src/pool/identity.ts';
import { Unavailable } from './harness.ts';

/** nginx in one process, serving the files below `folder`/files by TLS 1.3 with a P-256 certificate. */
export async function startNginx(folder: string): Promise<{ port: number; program: Program }> {
  const path = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/opt/homebrew/bin/nginx'].find((one) =>
    existsSync(one),
  );
  if (path === undefined) throw new Unavailable('nginx is not installed (Debian: nginx)');
  const identity = await createIdentity(new NodeClock(), nodeEntropy);
  writeFileSync(join(folder, 'certificate.pem'), identity.certificatePem);
  writeFileSync(join(folder, 'key.pem'), identity.privateKeyPem);
  mkdirSync(join(folder, 'temporary'));
  const port = await freePort();
  writeFileSync(join(folder, 'nginx.conf'), configuration(folder, port));
  const program = thisMachine.start(
    path,
    ['-p', folder, '-e', join(folder, 'error.log'), '-c', join(folder, 'nginx.conf')],
    {
      logFile: join(folder, 'nginx.log'),
    },
  );
  await waitForPort(port, program);
  return { port, program };
}

/** As a careful administrator would have it: no log, open files kept, kernel TLS not to be had in Debian's build. */
function configuration(folder: string, port: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${folder}/temporary;`)
    .join('\n');
  return `daemon off;
master_process off;
${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${folder}/nginx.pid;
error_log ${folder}/error.log crit;
events { worker_connections 256; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_requests 100000000;
  keepalive_timeout 600s;
  open_file_cache max=4096 inactive=600s;
  open_file_cache_valid 600s;
  etag off;
${temporary}
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate certificate.pem;
    ssl_certificate_key key.pem;
    ssl_protocols TLSv1.3;
    ssl_session_tickets off;
    ssl_buffer_size 16k;
    root ${folder}/files;
  }
}
`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<number>();
  server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  const port = await promise;
  server.close();
  return port;
}

async function waitForPort(port: number, program: Program): Promise<void> {
  for (let tries = 0; tries < 250 && program.running; tries++) {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
    const open = await promise;
    socket.destroy();
    if (open) return;
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Error('nginx did not start');
}
