/** The program of a sealing thread: reads, cuts, seals and hands over the files it is given. */

import type { SealSecrets } from './files/contents/content-sealer.ts';
import { FileSealer, type SealTask } from './files/upload/seal-task.ts';
import { nodeBlockingFiles } from './platform/node-blocking-files.ts';
import { serveTasks } from './platform/node-task-pool.ts';

serveTasks((secrets: SealSecrets) => {
  const sealer = new FileSealer(secrets, nodeBlockingFiles);
  return (task: SealTask, { post }) => sealer.run(task, post);
});
