import { AssertionFailure } from '../../base/assert.ts';
import { describeError } from '../../base/errors.ts';
import { sleep } from '../../ports/clock.ts';
import { Faults } from './faults.ts';
import { checkInvariants } from './invariants.ts';
import { SimulatedBox } from './simulated-box.ts';
import { SimulatedDesktop } from './simulated-desktop.ts';
import { Workload } from './workload.ts';
import { World } from './world.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly boxes: number;
  /** Virtual minutes of faults; making the pool before and checking it afterwards come on top. */
  readonly minutes: number;
  /** Gets every line of the trace above level debug. */
  readonly print?: (line: string) => void;
}

export interface SimulationResult {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
  readonly recent: readonly string[];
  readonly digest: string;
  readonly written: number;
  readonly acknowledged: number;
  readonly readBack: number;
  readonly verified: number;
  readonly virtualMinutes: number;
}

const workers = 3;
/** Boxes dial again within 30 s, and pull each other's logs every 10 s. */
const convergenceMs = 90_000;
/** Virtual time after which a phase that should end has not. */
const patienceMs = 30 * 60_000;

/** Runs one seed: makes a pool, breaks what may break while a desktop works, heals it all, and checks. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const world = new World(options.seed, options.print);
  const stopWatching = watchForBugs(world);
  if (world.stream('switch').chance(0.25)) world.pruneGroups();
  let verified = 0;
  let workload: Workload | undefined;
  try {
    const desktop = await SimulatedDesktop.make(world, 'desktop');
    const boxes: SimulatedBox[] = [];
    for (let number = 1; number <= options.boxes; number++) {
      boxes.push(await SimulatedBox.make(world, `box${number}`));
    }
    workload = new Workload(world, boxes, desktop);
    const story = tell({ world, boxes, desktop, workload }, options.minutes);
    verified = await world.clock.runUntil(story, options.minutes * 60_000 + patienceMs);
  } catch (error) {
    world.violate(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    stopWatching();
  }
  return {
    seed: options.seed,
    violations: world.violations,
    counts: world.trace.counts(),
    recent: world.trace.recent(),
    digest: world.trace.digest(),
    written: workload?.files.length ?? 0,
    acknowledged: workload?.acknowledged ?? 0,
    readBack: workload?.readBack ?? 0,
    verified,
    virtualMinutes: world.clock.monotonicMs() / 60_000,
  };
}

interface Cast {
  readonly world: World;
  readonly boxes: readonly SimulatedBox[];
  readonly desktop: SimulatedDesktop;
  readonly workload: Workload;
}

async function tell(cast: Cast, minutes: number): Promise<number> {
  const { world, boxes, desktop, workload } = cast;
  await Promise.all(boxes.map((box) => box.start()));
  await desktop.makePool(boxes);
  const faults = new Faults(world, boxes, desktop.host);
  workload.start(workers);
  faults.start();
  await sleep(world.clock, minutes * 60_000);
  await faults.stop();
  await workload.stop();
  await sleep(world.clock, convergenceMs);
  return checkInvariants({ ...cast, faults });
}

/**
 * Hears of bugs wherever they happen: errors that nobody catches, and failed assertions even when somebody does. The
 * constructor of a class calls that of its prototype, so this takes no change to the class itself.
 */
function watchForBugs(world: World): () => void {
  class WatchedError extends Error {
    constructor(message?: string, options?: ErrorOptions) {
      super(message, options);
      world.violate(`assertion failed: ${this.stack ?? message}`);
    }
  }
  const uncaught = (error: unknown) => {
    world.violate(`nobody caught: ${error instanceof Error ? error.stack : describeError(error)}`);
  };
  Object.setPrototypeOf(AssertionFailure, WatchedError);
  process.on('unhandledRejection', uncaught);
  process.on('uncaughtException', uncaught);
  return () => {
    Object.setPrototypeOf(AssertionFailure, Error);
    process.off('unhandledRejection', uncaught);
    process.off('uncaughtException', uncaught);
  };
}
