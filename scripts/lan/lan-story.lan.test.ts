import { after, test } from 'node:test';
import { LanStory, whyNoStory } from './lan-story.ts';
import { temporaryFolder } from './temporary-folder.ts';

const reason = whyNoStory();

test('three boxes on a LAN keep a real tree, and one of them may be lost', {
  skip: reason ?? false,
}, async (t) => {
  const story = new LanStory(temporaryFolder('lantest'));
  after(() => story.close());
  for (const step of story.steps) {
    // A step that failed fails its parent as well, which leaves out the rest: they build on it.
    let failure: unknown;
    await t.test(step.name, async (inner) => {
      try {
        inner.diagnostic(await step.run());
      } catch (error) {
        failure = error;
        throw error;
      }
    });
    if (failure !== undefined) return;
  }
});
