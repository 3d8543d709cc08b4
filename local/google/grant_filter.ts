/** Whose grants are meant; what is left out means any. */
export interface GrantFilter {
  readonly email?: string | undefined;
  readonly clientId?: string | undefined;
}

/** Whether a grant is meant. */
export function fits(
  grant: { readonly clientId: string; readonly email: string },
  { email, clientId }: GrantFilter,
): boolean {
  return (email === undefined || grant.email === email) &&
    (clientId === undefined || grant.clientId === clientId);
}
