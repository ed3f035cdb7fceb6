import { spec as Spec } from 'node:test/reporters';

/** The events of node's test runner, as far as this reporter looks into them. */
interface TestEvent {
  readonly type: string;
  readonly data: {
    readonly name: string;
    readonly nesting: number;
    readonly file?: string;
    readonly skip?: string | boolean;
    readonly todo?: string | boolean;
    readonly success?: boolean;
    readonly counts?: { readonly tests: number; readonly skipped: number };
    readonly duration_ms?: number;
  };
}

interface OpenTest {
  readonly event: TestEvent;
  shown: boolean;
}

interface Skipped {
  readonly where: string;
  readonly reason: string;
}

/**
 * Reports one line for each file, failures in full and, before node's own closing lines, every skipped test with its
 * reason: what was not proved here must be as plain as what was.
 */
export default async function* reporter(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const printer = new Spec();
  printer.setEncoding('utf8');
  const printed = () => (printer.read() as string | null) ?? '';
  const open: OpenTest[] = [];
  const skipped: Skipped[] = [];
  let closing = false;

  for await (const event of source) {
    switch (event.type) {
      case 'test:start':
        open.push({ event, shown: false });
        break;
      case 'test:pass':
      case 'test:fail': {
        const path = open.slice();
        const own = open.pop();
        if (isSkipped(event)) skipped.push(describeSkip(event, path));
        if (event.type === 'test:pass' && own?.shown !== true) break;
        for (const test of path) {
          if (!test.shown) printer.write(test.event);
          test.shown = true;
        }
        printer.write(event);
        yield printed();
        break;
      }
      case 'test:diagnostic':
        if (!closing && event.data.nesting === 0 && event.data.file === undefined) {
          closing = true;
          yield formatSkipped(skipped);
        }
        printer.write(event);
        yield printed();
        break;
      case 'test:summary':
        if (event.data.file !== undefined) yield formatFile(event);
        break;
      case 'test:stdout':
      case 'test:stderr':
        printer.write(event);
        yield printed();
        break;
    }
  }
  printer.end();
  yield printed();
}

function isSkipped(event: TestEvent): boolean {
  return event.data.skip !== undefined && event.data.skip !== false;
}

function describeSkip(event: TestEvent, path: readonly OpenTest[]): Skipped {
  const names = path.map((test) => test.event.data.name).join(' › ');
  const { skip } = event.data;
  const reason = typeof skip === 'string' && skip !== '' ? skip : 'no reason given';
  return { where: `${relative(event.data.file)}: ${names}`, reason };
}

function formatSkipped(skipped: readonly Skipped[]): string {
  if (skipped.length === 0) return '\nNothing was skipped.\n\n';
  const lines = skipped.map(({ where, reason }) => `  ﹣ ${where}\n    because: ${reason}\n`);
  return `\nSkipped here:\n${lines.join('')}\n`;
}

function formatFile({ data }: TestEvent): string {
  const { tests = 0, skipped = 0 } = data.counts ?? {};
  const skips = skipped > 0 ? `, ${skipped} skipped` : '';
  const seconds = ((data.duration_ms ?? 0) / 1000).toFixed(1);
  return `${data.success === true ? '✔' : '✖'} ${relative(data.file)} (${tests} tests${skips}, ${seconds} s)\n`;
}

function relative(file = ''): string {
  const root = `${process.cwd()}/`;
  return file.startsWith(root) ? file.slice(root.length) : file;
}
