/** An object without the members that are undefined: to many libraries those are not the same as absent ones. */
export function withoutUndefined<T extends object> (object: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> }
}
