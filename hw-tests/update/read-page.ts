// Logs in to the page of a box with a code, as a person with a browser does, and prints its overview: read-page ADDRESS
// CODE. Which certificate it has is not looked at.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { request } from 'node:https';

const [host = '', code = ''] = process.argv.slice(2);

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

function ask({ method, path, headers, body = '' }: Asked): Promise<Answer> {
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
    asked.end(body);
  });
}

const login = await ask({
  method: 'POST',
  path: '/login',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams({ code }).toString(),
});
const cookie = login.headers['set-cookie']?.[0]?.split(';')[0];
if (cookie === undefined) throw new Error(`nobody is let in: status ${login.status}`);
const overview = await ask({ method: 'GET', path: '/', headers: { cookie } });
if (overview.status !== 200) throw new Error(`no overview: status ${overview.status}`);
process.stdout.write(overview.text);
