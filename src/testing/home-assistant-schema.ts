/**
 * What Home Assistant takes in a device discovery message, as far as this project uses it. Derived from its
 * documentation (home-assistant.io: "MQTT", "MQTT discovery", and the pages of the MQTT sensor, binary sensor, button and
 * update) and from the schemas that check it (home-assistant/core, `homeassistant/components/mqtt/`: `schemas.py`,
 * `discovery.py`, and a file for each platform). Unknown keys are dropped there in silence, so here they are problems.
 */

const common = ['platform', 'unique_id', 'name', 'device_class', 'entity_category', 'qos'];
const availability = ['availability_topic', 'payload_available', 'payload_not_available'];
const attributes = ['json_attributes_topic', 'json_attributes_template'];

interface PlatformRule {
  readonly required: readonly string[];
  readonly optional: readonly string[];
  readonly deviceClasses: readonly string[];
  readonly categories: readonly string[];
}

/** `entity_category: config` is for what can be set: sensors with it are refused. */
const rules: Readonly<Record<string, PlatformRule>> = {
  sensor: {
    required: ['state_topic'],
    optional: ['value_template', 'unit_of_measurement', 'state_class', 'suggested_display_precision'],
    deviceClasses: ['data_size', 'temperature'],
    categories: ['diagnostic'],
  },
  binary_sensor: {
    required: ['state_topic'],
    optional: ['value_template', 'payload_on', 'payload_off'],
    deviceClasses: ['problem', 'connectivity'],
    categories: ['diagnostic'],
  },
  button: {
    required: ['command_topic'],
    optional: ['payload_press', 'retain'],
    deviceClasses: ['identify', 'restart', 'update'],
    categories: ['diagnostic', 'config'],
  },
  update: {
    required: [],
    optional: ['state_topic', 'command_topic', 'payload_install', 'retain'],
    deviceClasses: ['firmware'],
    categories: ['diagnostic', 'config'],
  },
};

const deviceKeys = [
  'identifiers',
  'name',
  'manufacturer',
  'model',
  'sw_version',
  'serial_number',
  'configuration_url',
];
const originKeys = ['name', 'sw_version', 'support_url'];
const unitsOf: Readonly<Record<string, readonly string[]>> = {
  data_size: ['B', 'kB', 'MB', 'GB', 'TB', 'KiB', 'MiB', 'GiB', 'TiB'],
  temperature: ['°C', '°F', 'K'],
};

/** `<prefix>/device/<object_id>/config`, and of what letters the id may be. */
export const discoveryTopicPattern = /^[\w/-]+\/device\/[a-zA-Z0-9_-]+\/config$/;

/** What is wrong with a message, a line each. */
export function discoveryProblems(message: unknown): readonly string[] {
  const { device, origin, components, ...others } = message as Record<string, Record<string, unknown>>;
  if (device === undefined || origin === undefined || components === undefined)
    return ['device, origin and components are all required'];
  const problems = [
    ...unknown('the message', others, []),
    ...unknown('device', device, deviceKeys),
    ...unknown('origin', origin, originKeys),
  ];
  if (!Array.isArray(device.identifiers) || device.identifiers.length === 0)
    problems.push('device: identifiers or connections are required');
  if (typeof origin.name !== 'string') problems.push('origin: name is required');
  const ids = Object.values(components).flatMap((one) => (one as Record<string, unknown>).unique_id ?? []);
  if (new Set(ids).size !== ids.length) problems.push('two components share a unique_id');
  return [
    ...problems,
    ...Object.entries(components).flatMap(([key, one]) => component(key, one as Record<string, unknown>)),
  ];
}

function component(key: string, one: Record<string, unknown>): readonly string[] {
  const rule = rules[String(one.platform)];
  if (rule === undefined) return [`${key}: platform ${one.platform} is none of ours`];
  // With its platform alone it asks to be forgotten.
  if (Object.keys(one).length === 1) return [];
  const problems = [
    ...unknown(key, one, [...common, ...availability, ...attributes, ...rule.required, ...rule.optional]),
  ];
  for (const name of [...rule.required, 'unique_id'])
    if (typeof one[name] !== 'string') problems.push(`${key}: ${name} is required`);
  if (one.device_class !== undefined && !rule.deviceClasses.includes(String(one.device_class)))
    problems.push(`${key}: device_class ${one.device_class} is not one of ${one.platform}`);
  if (one.entity_category !== undefined && !rule.categories.includes(String(one.entity_category)))
    problems.push(`${key}: entity_category ${one.entity_category} is not one for ${one.platform}`);
  const units = unitsOf[String(one.device_class)];
  if (units !== undefined && !units.includes(String(one.unit_of_measurement)))
    problems.push(`${key}: unit ${one.unit_of_measurement} does not go with ${one.device_class}`);
  for (const [name, value] of Object.entries(one))
    if (name.endsWith('_topic') && !/^[^#+\0]{1,256}$/.test(String(value)))
      problems.push(`${key}: ${name} is no topic`);
  if (one.retain === true) problems.push(`${key}: a command must not be retained`);
  return problems;
}

function unknown(where: string, given: object, known: readonly string[]): readonly string[] {
  return Object.keys(given)
    .filter((name) => !known.includes(name))
    .map((name) => `${where}: ${name} is not known`);
}

/** What is wrong with a message of the update entity (`update.py`: MQTT_JSON_UPDATE_SCHEMA). */
export function updateProblems(message: Record<string, unknown>): readonly string[] {
  const known = ['installed_version', 'latest_version', 'title', 'in_progress', 'update_percentage'];
  const problems = [...unknown('update', message, known)];
  for (const name of ['installed_version', 'latest_version', 'title'])
    if (typeof message[name] !== 'string') problems.push(`update: ${name} must be text`);
  if (typeof message.in_progress !== 'boolean') problems.push('update: in_progress must be true or false');
  const percentage = message.update_percentage;
  const inRange = typeof percentage === 'number' && percentage >= 0 && percentage <= 100;
  if (percentage !== null && !inRange) problems.push('update: update_percentage must be 0 to 100 or null');
  return problems;
}
