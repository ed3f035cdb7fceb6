/** Where a box says what of itself; written down in docs/mqtt.md. */
export interface Topics {
  readonly availability: string;
  readonly state: string;
  readonly updateState: string;
  readonly identify: string;
  readonly restart: string;
  readonly update: string;
  /** Home Assistant's: what the device is made of. */
  readonly discovery: string;
  /** Home Assistant's own: it says `online` there when it has started. */
  readonly homeAssistant: string;
}

export const payloads = {
  online: 'online',
  offline: 'offline',
  press: 'PRESS',
  install: 'install',
} as const;

/** Sixteen hexadecimal digits of a member id: what tells boxes apart in topics. */
export function boxTag(memberId: string): string {
  return memberId.slice(0, 16);
}

export function topicsOf(memberId: string, discoveryPrefix: string): Topics {
  const box = `aetherstore/${boxTag(memberId)}`;
  return {
    availability: `${box}/availability`,
    state: `${box}/state`,
    updateState: `${box}/update/state`,
    identify: `${box}/identify/set`,
    restart: `${box}/restart/set`,
    update: `${box}/update/set`,
    discovery: `${discoveryPrefix}/device/aetherstore_${boxTag(memberId)}/config`,
    homeAssistant: `${discoveryPrefix}/status`,
  };
}
