// Makes the tree ready to run: packages as the lock file says, and onoff's native part compiled for our runtime.
// Runs before every npm script, on whatever Node (20 or later) there is, so it uses built-in modules only, and is
// done in a few milliseconds when nothing is to do. Several may run at once: one works, the others wait for it.
import { exclusively } from './setup/exclusively.mjs';
import { addonIsDue, buildAddon } from './setup/gpio-addon.mjs';
import { install, linkRuntime, runtimeIsLinked, whyInstall } from './setup/packages.mjs';
import { fail, runtimeMajor, runtimePackage } from './setup/tree.mjs';

async function main() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) fail(`this is Node ${process.versions.node}; version 20 or later is needed.`);
  if (runtimePackage === undefined && major < runtimeMajor) {
    fail(
      `no runtime is packaged for ${process.platform} on ${process.arch}: install Node ${runtimeMajor} or later.`,
    );
  }
  if (whyInstall() === undefined && runtimeIsLinked() && !addonIsDue()) return;
  await exclusively(async () => {
    const reason = whyInstall();
    if (reason !== undefined) await install(reason);
    if (!runtimeIsLinked()) linkRuntime();
    if (addonIsDue()) await buildAddon();
  });
}

await main();
