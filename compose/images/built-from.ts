import { type BuiltServer, readRecipe } from '../servers/server-recipe.ts'

/** What these natively built programs are made from, as one word: it changes whenever one would be built anew. */
export async function builtFrom(...names: BuiltServer[]): Promise<string> {
  const recipes = await Promise.all(names.map(readRecipe))
  return recipes.map(({ name, hash }) => `${name}-${hash}`).join('_')
}
