/** The field with its value; nothing where there is no value: an optional field is absent, never `undefined`. */
export function optionalField<K extends string, V>(field: K, value: V | null): { readonly [P in K]?: V } {
  return value === null ? {} : ({ [field]: value } as { readonly [P in K]?: V });
}
