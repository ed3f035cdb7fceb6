import { runTool, type ToolAnswer } from './run-tool.ts';

const unitTimeoutMs = 60_000;

/**
 * Starts a unit of the appliance and waits until it is done. The box's user may start only those that a rule of the
 * system names. Never rejects: another exit code than 0 says that it was refused or has failed.
 */
export function startUnit(unit: string, timeoutMs = unitTimeoutMs): Promise<ToolAnswer> {
  return systemctl('start', unit, timeoutMs);
}

export function stopUnit(unit: string): Promise<ToolAnswer> {
  return systemctl('stop', unit, unitTimeoutMs);
}

function systemctl(verb: string, unit: string, timeoutMs: number): Promise<ToolAnswer> {
  return runTool('systemctl', ['--no-ask-password', '--quiet', verb, unit], timeoutMs);
}
