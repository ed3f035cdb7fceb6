import { type Bytes, equalBytes } from '../base/bytes.ts';
import { AetherError, describeError, hasCode } from '../base/errors.ts';
import { AnswerGate } from './answer-gate.ts';
import { stateOf, storeError } from './errors.ts';
import { GatedDisk, openGatedStore } from './gated-disk.ts';
import { Volume, type VolumeOptions, type VolumePorts, type VolumeState } from './volume.ts';

export interface VolumeStatus {
  readonly name: string;
  /** 16 bytes; undefined when the volume could not be opened. */
  readonly id: Bytes | undefined;
  readonly state: VolumeState | 'retired';
  /** Why it failed. */
  readonly error: AetherError | undefined;
  /** The limit less the reserve. */
  readonly capacityBytes: number;
  readonly usedBytes: number;
  readonly freeBytes: number;
  readonly chunkCount: number;
  readonly corruptRecords: number;
}

/** A place that a volume belongs in: what is open there, or why nothing is. */
export class VolumeSlot {
  readonly #options: VolumeOptions;
  readonly #ports: VolumePorts;
  readonly #changed: () => void;
  /** The same for each disk that comes here: what one keeps waiting is counted while another is opened. */
  readonly #gate: AnswerGate;
  /** Of the volume that was here last. */
  #id: Bytes | undefined;
  #volume: Volume | undefined;
  #error: AetherError | undefined;
  #retired: boolean;

  constructor(options: VolumeOptions, ports: VolumePorts, changed: () => void) {
    this.#options = options;
    this.#ports = ports;
    this.#changed = changed;
    this.#gate = options.gate ?? new AnswerGate(ports.clock);
    this.#id = options.knownId;
    this.#retired = options.retired ?? false;
  }

  get name(): string {
    return this.#options.name;
  }

  /** The volume that is here, or was last; undefined before one was ever seen. */
  get id(): Bytes | undefined {
    return this.#id;
  }

  get volume(): Volume | undefined {
    return this.#volume;
  }

  get isServed(): boolean {
    return this.#volume !== undefined && this.#volume.error === undefined;
  }

  /**
   * Whether it is worth looking from time to time: the disk was taken away, and may be attached again; or it did not
   * answer, and does now; or another box has it, or an earlier life of this one.
   */
  get mayComeBack(): boolean {
    const error = this.#volume?.error ?? this.#error;
    if (this.#retired || error === undefined) return false;
    if (hasCode(error, 'DISK_SILENT')) return !this.#gate.isSilent;
    if (hasCode(error, 'DISK_IN_USE')) return true;
    return this.#id !== undefined && stateOf(error) === 'missing';
  }

  /**
   * Opens the volume; one that cannot be opened leaves its error here. `others`: volumes that are open elsewhere.
   * Rejects with what is no `AetherError` only.
   */
  async open(pool: Bytes | undefined, others: readonly Bytes[]): Promise<void> {
    if (this.#retired) return;
    try {
      await this.#volume?.released();
      const { disk, diskAgain, openIndex } = this.#options;
      const again = this.#volume !== undefined || this.#error !== undefined;
      const volume = await Volume.open(
        {
          ...this.#options,
          disk: new GatedDisk((again ? diskAgain?.() : undefined) ?? disk, this.#gate),
          openIndex: () => openGatedStore(openIndex, this.#gate),
          knownId: this.#id,
        },
        pool,
        this.#ports,
        this.#changed,
      );
      if (others.some((id) => equalBytes(id, volume.id))) {
        await volume.close();
        throw storeError('VOLUME_DUPLICATE', 'the volume is attached twice');
      }
      this.#id = volume.id;
      this.#volume = volume;
      this.#error = undefined;
    } catch (error) {
      if (!(error instanceof AetherError)) throw error;
      this.#note(error);
    }
  }

  /** Closes the volume, which has been emptied, for good. */
  async retire(): Promise<void> {
    this.#retired = true;
    const volume = this.#volume;
    this.#volume = undefined;
    await volume?.close();
  }

  /** Any volume will do from now on, or an empty disk. */
  forget(): void {
    this.#id = undefined;
    this.#retired = false;
  }

  status(): VolumeStatus {
    const { name } = this;
    const volume = this.#volume;
    if (volume === undefined) {
      const nothing = { capacityBytes: 0, usedBytes: 0, freeBytes: 0, chunkCount: 0, corruptRecords: 0 };
      const error = this.#error;
      const state = this.#retired ? 'retired' : error === undefined ? 'missing' : stateOf(error);
      return { name, id: this.#id, state, error, ...nothing };
    }
    const { id, state, error, capacityBytes, usedBytes, freeBytes, chunkCount, corruptRecords } = volume;
    return { name, id, state, error, capacityBytes, usedBytes, freeBytes, chunkCount, corruptRecords };
  }

  /** Said once, not at each look for a disk that is away. */
  #note(error: AetherError): void {
    if (this.#volume !== undefined || this.#error?.code === error.code) return;
    this.#ports.log.error('volume cannot be opened', { volume: this.name, error: describeError(error) });
    this.#error = error;
  }
}
