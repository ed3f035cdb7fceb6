import type { ApplianceStatus } from '../../status/appliance-status.ts';
import { diskTag } from './state-message.ts';
import { boxTag, payloads, type Topics } from './topics.ts';

/**
 * Home Assistant's device discovery (home-assistant.io, "MQTT discovery, device discovery payload"): one retained
 * message says what a device is made of. Names are written out; abbreviations would save 2 KB once.
 */
export interface DiscoveryMessage {
  readonly device: Readonly<Record<string, string | readonly string[]>>;
  readonly origin: Readonly<Record<string, string>>;
  readonly components: Readonly<Record<string, Component>>;
}

/** One entity; with `platform` alone, one that Home Assistant is to forget. */
export type Component = { readonly platform: Platform } & Readonly<
  Record<string, string | number | boolean | null>
>;

export type Platform = 'binary_sensor' | 'sensor' | 'button' | 'update';

/** `gone`: names of disks that were told of before and are no more. */
export function discoveryMessage(
  status: ApplianceStatus,
  topics: Topics,
  gone: readonly string[] = [],
): DiscoveryMessage {
  const { box, hardware } = status;
  const id = `aetherstore_${boxTag(box.memberId)}`;
  const live = { ...healthEntities(topics), ...spaceEntities(topics), ...commandEntities(topics) };
  for (const { name } of status.volumes) Object.assign(live, diskEntities(name, topics));
  const identified = Object.entries(live).map(([key, component]) => [
    key,
    { ...component, unique_id: `${id}_${key}` },
  ]);
  return {
    device: {
      identifiers: [id],
      name: box.name,
      manufacturer: 'AetherStore',
      model: hardware.model ?? 'AetherStore box',
      sw_version: box.version,
    },
    origin: { name: 'AetherStore', sw_version: box.version },
    components: { ...forgottenDisks(gone), ...Object.fromEntries(identified) },
  };
}

type Entities = Readonly<Record<string, Component>>;

function healthEntities(topics: Topics): Entities {
  const diagnostic = { ...shown(topics), entity_category: 'diagnostic' };
  return {
    health: { platform: 'sensor', name: 'Health', ...shown(topics), ...value('health') },
    problem: {
      platform: 'binary_sensor',
      name: 'Problem',
      device_class: 'problem',
      ...shown(topics),
      ...value('problem'),
      json_attributes_topic: topics.state,
      json_attributes_template: '{{ value_json.attributes | tojson }}',
    },
    // Without availability of its own: it must be able to say that the box is away.
    connectivity: {
      platform: 'binary_sensor',
      name: 'Connection',
      device_class: 'connectivity',
      entity_category: 'diagnostic',
      state_topic: topics.availability,
      payload_on: payloads.online,
      payload_off: payloads.offline,
    },
    temperature: {
      platform: 'sensor',
      name: 'Temperature',
      ...diagnostic,
      ...celsius,
      ...value('temperature'),
    },
    boxes_reachable: {
      platform: 'sensor',
      name: 'Boxes reachable',
      ...shown(topics),
      ...value('boxes_reachable'),
      state_class: 'measurement',
    },
    copies_missing: {
      platform: 'sensor',
      name: 'Copies missing',
      ...shown(topics),
      ...value('copies_missing'),
      state_class: 'measurement',
    },
  };
}

function spaceEntities(topics: Topics): Entities {
  const space = (name: string, key: string): Component => ({
    platform: 'sensor',
    name,
    ...shown(topics),
    ...value(key),
    device_class: 'data_size',
    unit_of_measurement: 'GiB',
    state_class: 'measurement',
    suggested_display_precision: 1,
  });
  return {
    free: space('Free space', 'free_gib'),
    used: space('Used space', 'used_gib'),
    capacity: space('Capacity', 'capacity_gib'),
  };
}

function commandEntities(topics: Topics): Entities {
  const available = availability(topics);
  return {
    identify: {
      platform: 'button',
      name: 'Identify',
      device_class: 'identify',
      entity_category: 'diagnostic',
      ...available,
      command_topic: topics.identify,
      payload_press: payloads.press,
      qos: 1,
      retain: false,
    },
    restart: {
      platform: 'button',
      name: 'Restart',
      device_class: 'restart',
      entity_category: 'config',
      ...available,
      command_topic: topics.restart,
      payload_press: payloads.press,
      qos: 1,
      retain: false,
    },
    update: {
      platform: 'update',
      name: 'Update',
      device_class: 'firmware',
      entity_category: 'config',
      ...available,
      state_topic: topics.updateState,
      command_topic: topics.update,
      payload_install: payloads.install,
      json_attributes_topic: topics.state,
      json_attributes_template: '{{ value_json.update | tojson }}',
      qos: 1,
      retain: false,
    },
  };
}

function diskEntities(volumeName: string, topics: Topics): Entities {
  const tag = diskTag(volumeName);
  const diagnostic = { ...shown(topics), entity_category: 'diagnostic' };
  return {
    [`disk_${tag}_temperature`]: {
      platform: 'sensor',
      name: `Disk ${volumeName} temperature`,
      ...diagnostic,
      ...celsius,
      ...value(`disks['${tag}'].temperature`),
    },
    [`disk_${tag}_problem`]: {
      platform: 'binary_sensor',
      name: `Disk ${volumeName} problem`,
      device_class: 'problem',
      ...diagnostic,
      ...value(`disks['${tag}'].problem`),
    },
  };
}

/** Leaving a component out is not enough: Home Assistant forgets it when only its platform is left. */
function forgottenDisks(names: readonly string[]): Entities {
  return Object.fromEntries(
    names.flatMap((name): [string, Component][] => [
      [`disk_${diskTag(name)}_temperature`, { platform: 'sensor' }],
      [`disk_${diskTag(name)}_problem`, { platform: 'binary_sensor' }],
    ]),
  );
}

const celsius = {
  device_class: 'temperature',
  unit_of_measurement: '°C',
  state_class: 'measurement',
} as const;

function availability({ availability: topic }: Topics) {
  return {
    availability_topic: topic,
    payload_available: payloads.online,
    payload_not_available: payloads.offline,
  };
}

function shown(topics: Topics) {
  return { ...availability(topics), state_topic: topics.state };
}

function value(path: string) {
  return { value_template: `{{ value_json.${path} }}` };
}
