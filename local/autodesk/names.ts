const FORBIDDEN = /[<>:"/\\|?*`]|^\s|\s$/;

/** The part after the last dot, without the dot; `null` where there is none. */
export function extensionOf(name: string): string | null {
  const dot = name.lastIndexOf(".");
  return dot > 0 && dot < name.length - 1 ? name.slice(dot + 1) : null;
}

/** Refuses a name that cannot be given today. */
export function checkName(name: string, isLegacy: boolean | undefined): void {
  if (name === "" || (isLegacy !== true && FORBIDDEN.test(name))) {
    throw new RangeError(
      `Cannot use name as it must have no < > : " / \\ | ? * \` and no space at its ends: ` +
        `current value is "${name}"`,
    );
  }
}
