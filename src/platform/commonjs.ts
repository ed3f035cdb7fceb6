/**
 * What a CommonJS package exports, loaded by `import()`. Node gives its exports names by looking through its source; in a
 * bundle there is the whole of them only, as `default`.
 */
export function exportsOf<Module extends object>(module: Module): Module {
  const whole = (module as { readonly default?: unknown }).default;
  return typeof whole === 'object' && whole !== null ? (whole as Module) : module;
}
