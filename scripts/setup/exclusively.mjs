// One set-up of a tree at a time.
import * as fs from 'node:fs';
import path from 'node:path';
import { fail, readText, root, say } from './tree.mjs';

const lockFile = path.join(root, 'var', 'setup.lock');
const lockWaitMs = 250;

export async function exclusively(work) {
  try {
    fs.mkdirSync(path.dirname(lockFile), { recursive: true });
    await takeLock();
  } catch (error) {
    fail(`cannot write in ${root} (${error.code ?? error.message}): run this as the user who owns it.`);
  }
  const release = () => fs.rmSync(lockFile, { force: true });
  process.once('exit', release);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));
  await work();
}

async function takeLock() {
  const mine = `${lockFile}.${process.pid}`;
  fs.writeFileSync(mine, String(process.pid));
  try {
    let said = false;
    while (!tryLink(mine, lockFile)) {
      if (removeDeadLock(`${mine}.dead`)) continue;
      if (!said) say('waiting for another setup of this tree');
      said = true;
      await new Promise((resolve) => setTimeout(resolve, lockWaitMs));
    }
  } finally {
    fs.rmSync(mine, { force: true });
  }
}

function tryLink(from, to) {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Takes away the lock of a process that is gone. It is moved first: what was moved is then looked at again. */
function removeDeadLock(aside) {
  if (isAlive(readText(lockFile))) return false;
  try {
    fs.renameSync(lockFile, aside);
  } catch {
    return true;
  }
  if (isAlive(readText(aside))) tryLink(aside, lockFile);
  fs.rmSync(aside, { force: true });
  return true;
}

function isAlive(owner) {
  if (owner === undefined) return false;
  try {
    process.kill(Number(owner), 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
