import { AetherError } from '../../base/errors.ts';
import { webListEntriesMax } from '../../base/face-limits.ts';
import { rangeOf } from '../../base/http-range.ts';
import { filesError } from '../../files/files-error.ts';
import type { PoolFiles } from '../../files/pool-files.ts';
import { checkNames, type RemotePath } from '../../files/remote-path.ts';
import type { RemoteEntry } from '../../files/tree/remote-entry.ts';
import type { HttpRequest, HttpResponse } from '../../ports/http-server.ts';
import { commonHeaders, seeOther, textAnswer } from './answers.ts';
import { wordsOf } from './entry-routes.ts';
import { checkToken, readForm } from './forms.ts';
import type { Html } from './html.ts';
import { folderBody, hrefOf, removeBody } from './pages/files.ts';
import { entityTag, rangeStillMeant, unmetPrecondition } from './preconditions.ts';
import type { Session } from './sessions.ts';

/** Renders a page of the files. */
export type RenderFiles = (title: string, body: Html, session: Session) => HttpResponse;

/** Looking at the stored files, fetching and storing them. */
export class FileRoutes {
  readonly #files: () => PoolFiles | undefined;
  readonly #render: RenderFiles;

  /** `files`: undefined while the box belongs to no pool. */
  constructor(files: () => PoolFiles | undefined, render: RenderFiles) {
    this.#files = files;
    this.#render = render;
  }

  /** `GET /files/…`: the page of a folder, or a file. Errors: those of `PoolFiles`. */
  async get(request: HttpRequest, names: readonly string[], session: Session): Promise<HttpResponse> {
    const path = checkNames(names);
    const files = this.#opened();
    const entry = await files.stat(path);
    if (entry.kind === 'file') return fileAnswer(files, entry, request);
    const after = request.query.get('after') ?? undefined;
    const { entries, more } = await files.list(path, after, webListEntriesMax);
    const body = folderBody({ path, entries, after: more ? entries.at(-1)?.name : undefined, session });
    return this.#render(path.at(-1) ?? 'Files', body, session);
  }

  /** `PUT /files/…`: stores the body there; 201 once it is durable. */
  async put(request: HttpRequest, names: readonly string[], session: Session): Promise<HttpResponse> {
    try {
      checkToken(session, request.headers['x-aether-token']);
      const modifiedMs = Number(request.headers['x-aether-modified']);
      const { copies } = await this.#opened().write(checkNames(names), {
        source: request.body,
        ...(Number.isSafeInteger(modifiedMs) && modifiedMs >= 0 ? { mtimeMs: modifiedMs } : {}),
      });
      return textAnswer(201, `Stored, ${copies} ${copies === 1 ? 'copy' : 'copies'}.`);
    } catch (error) {
      if (!(error instanceof AetherError)) throw error;
      return textAnswer(
        error.code === 'POOL_FULL' || error.code === 'STORE_FULL' ? 507 : 409,
        wordsOf(error),
      );
    }
  }

  /** `POST /files-deeds/folder`. */
  async makeFolder(request: HttpRequest, session: Session): Promise<HttpResponse> {
    const form = await readForm(request);
    checkToken(session, form.get('token'));
    const path = pathIn(form);
    await this.#opened().makeDirectory(checkNames([...path, form.get('name') ?? '']));
    return seeOther(hrefOf(path));
  }

  /** `POST /files-deeds/remove`: asks first, then does it. */
  async remove(request: HttpRequest, session: Session): Promise<HttpResponse> {
    const form = await readForm(request);
    checkToken(session, form.get('token'));
    const path = pathIn(form);
    if (path.length === 0) throw filesError('PATH_INVALID', 'the pool itself cannot be removed');
    if (form.get('sure') !== 'yes') {
      const entry = await this.#opened().stat(path);
      return this.#render(`Remove ${entry.name}?`, removeBody(path, entry, session), session);
    }
    await this.#opened().remove(path);
    session.notice = `${path.at(-1)} is removed.`;
    return seeOther(hrefOf(path.slice(0, -1)));
  }

  #opened(): PoolFiles {
    const files = this.#files();
    if (files === undefined) throw filesError('PATH_NOT_FOUND', 'this box belongs to no pool yet');
    return files;
  }
}

function pathIn(form: URLSearchParams): RemotePath {
  try {
    const names: unknown = JSON.parse(form.get('path') ?? '');
    if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return checkNames(names);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw filesError('PATH_INVALID', 'the form names no path');
}

/** The bytes, always to be saved and never shown within this page: what is in them is a stranger's. */
function fileAnswer(files: PoolFiles, entry: RemoteEntry, request: HttpRequest): HttpResponse {
  const validators = { etag: entityTag(entry), mtimeMs: entry.mtimeMs };
  const headers = {
    ...commonHeaders,
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename*=UTF-8''${encodeRfc8187(entry.name)}`,
    'accept-ranges': 'bytes',
    'last-modified': new Date(entry.mtimeMs).toUTCString(),
    etag: validators.etag,
  };
  const unmet = unmetPrecondition(request.headers, validators);
  if (unmet !== undefined) return { status: unmet, headers };
  const range = rangeOf(rangeStillMeant(request.headers, validators), entry.size);
  if (range === 'unsatisfiable') {
    return { status: 416, headers: { ...headers, 'content-range': `bytes */${entry.size}` } };
  }
  const { offset, length } = range ?? { offset: 0, length: entry.size };
  const contentRange = `bytes ${offset}-${offset + length - 1}/${entry.size}`;
  return {
    status: range === undefined ? 200 : 206,
    headers: {
      ...headers,
      'content-length': String(length),
      ...(range === undefined ? {} : { 'content-range': contentRange }),
    },
    ...(request.method === 'HEAD' ? {} : { body: files.read(entry, { offset, length }) }),
  };
}

/** RFC 8187 §3.2: what of a name goes unescaped into `filename*`. */
function encodeRfc8187(name: string): string {
  return encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
