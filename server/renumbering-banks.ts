/** Chase, PNC and US Bank give out numbers of their own for each access, and new ones with a new access. */
export const RENUMBERING_BANKS: ReadonlySet<string> = new Set(['ins_56', 'ins_13', 'ins_127990']);
