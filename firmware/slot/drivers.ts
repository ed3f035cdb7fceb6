/** Drivers that a device tree asks for: a node without one is a device that is not there, or whoever waits for it. */

/**
 * Modules that drive enabled nodes of a device tree, by what `compatible` says. `source`: the tree as dtc(1) writes it;
 * `aliases`: modules.alias(5) of the kernel. What is built into the kernel, or has no driver at all, is in no alias.
 */
export function driversOf(source: string, aliases: string): ReadonlySet<string> {
  const modules = modulesByCompatible(aliases);
  return new Set(enabledCompatibles(source).flatMap((compatible) => modules.get(compatible) ?? []));
}

function modulesByCompatible(aliases: string): ReadonlyMap<string, readonly string[]> {
  const modules = new Map<string, string[]>();
  for (const [, compatible, module] of aliases.matchAll(/^alias of:N\*T\*C([^\s*]+) (\S+)$/gm)) {
    modules.set(compatible!, [...(modules.get(compatible!) ?? []), module!]);
  }
  return modules;
}

/** What enabled nodes are compatible with; a node below one that is disabled is so as well. */
function enabledCompatibles(source: string): readonly string[] {
  const found: string[] = [];
  const open: { enabled: boolean; compatible: readonly string[] }[] = [];
  for (const line of source.split('\n').map((each) => each.trim())) {
    const [, property, value] = /^(status|compatible) = (.*);$/.exec(line) ?? [];
    const node = open.at(-1);
    if (line.endsWith('{')) open.push({ enabled: node?.enabled ?? true, compatible: [] });
    else if (line === '};') found.push(...(open.pop()?.enabled === true ? node!.compatible : []));
    else if (node !== undefined && property === 'compatible') node.compatible = stringsOf(value!);
    else if (node !== undefined && property === 'status') {
      node.enabled &&= /^ok(ay)?$/.test(stringsOf(value!)[0] ?? '');
    }
  }
  return found;
}

function stringsOf(value: string): readonly string[] {
  return [...value.matchAll(/"([^"]*)"/g)].map(([, text]) => text!);
}
