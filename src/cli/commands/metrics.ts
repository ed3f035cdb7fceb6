import { metricsTokenOf } from '../../pool/authority.ts';
import { hostLabelFor } from '../../zeroconf/dnssd/service.ts';
import { usageError } from '../arguments.ts';
import type { Command } from '../command.ts';
import { Desktop } from '../desktop.ts';
import { exitCodes } from '../exit-codes.ts';

export const metrics: Command = {
  name: 'metrics',
  summary: 'how Prometheus gets at the metrics of the boxes',
  usage: '',
  options: {},
  stopsUnread: true,
  run: async (line, { output, homePath }) => {
    if (line.positionals.length > 0) throw usageError('metrics takes no name', 'aether metrics --help');
    const { secrets, roster } = (await Desktop.open(homePath)).requirePool();
    const token = metricsTokenOf(secrets);
    const boxes = roster.boxes().map(({ name }) => name);
    output.result({ token, boxes }, [
      'scrape_configs:',
      '  - job_name: aetherstore',
      '    scheme: https',
      `    authorization: { credentials: ${token} }`,
      '    tls_config: { insecure_skip_verify: true }',
      '    static_configs:',
      '      # A box that is a program on a computer has the port that it printed.',
      `      - targets: [${boxes.map((name) => `${hostLabelFor(name)}.local:443`).join(', ')}]`,
      '',
      'The credentials let whoever has them read these figures, and nothing else.',
    ]);
    return exitCodes.done;
  },
};
