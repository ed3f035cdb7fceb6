// Logs in to the page of a box with a code, as a person with a browser does, and prints its overview, or what it answers
// to a bundle that is sent, or to the button that installs it: use-page ADDRESS CODE [BUNDLE | install]. Which certificate
// it has is not looked at.
import { createReadStream, statSync } from 'node:fs';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { Readable } from 'node:stream';

const [host = '', code = '', deed] = process.argv.slice(2);
const form = { 'content-type': 'application/x-www-form-urlencoded' };

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: Readable;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

function ask({ method, path, headers, body = Readable.from([]) }: Asked): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host, port: 443, method, path, headers, rejectUnauthorized: false };
    const asked = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.once('error', reject);
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    asked.once('error', reject);
    body.once('error', reject).pipe(asked);
  });
}

function words(fields: Readonly<Record<string, string>>): Readable {
  return Readable.from([new URLSearchParams(fields).toString()]);
}

const login = await ask({ method: 'POST', path: '/login', headers: form, body: words({ code }) });
const cookie = login.headers['set-cookie']?.[0]?.split(';')[0];
if (cookie === undefined) throw new Error(`nobody is let in: status ${login.status}`);
const overview = await ask({ method: 'GET', path: '/', headers: { cookie } });
if (overview.status !== 200) throw new Error(`no overview: status ${overview.status}`);
if (deed === undefined) process.stdout.write(overview.text);
else {
  const token = /name="token" value="([^"]+)"/.exec(overview.text)?.[1] ?? '';
  const answer = await (deed === 'install' ? install(cookie, token) : send(deed, cookie, token));
  if (answer.status >= 400) throw new Error(`status ${answer.status}: ${answer.text}`);
  process.stdout.write(answer.text);
}

function install(cookie: string, token: string): Promise<Answer> {
  return ask({ method: 'POST', path: '/update', headers: { ...form, cookie }, body: words({ token }) });
}

function send(file: string, cookie: string, token: string): Promise<Answer> {
  const headers = { cookie, 'x-aether-token': token, 'content-length': statSync(file).size };
  return ask({ method: 'PUT', path: '/update', headers, body: createReadStream(file) });
}
