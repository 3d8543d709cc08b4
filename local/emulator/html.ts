/** Writes a text so that HTML shows it and nothing more. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Hidden fields that bring the parameters of a page back with its form. */
export function hiddenFields(parameters: URLSearchParams): string {
  const fields = [...parameters].map(([name, value]) =>
    `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`
  );
  return fields.join("");
}
