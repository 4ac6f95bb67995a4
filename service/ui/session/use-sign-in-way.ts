import { useQuery } from '@tanstack/react-query'
import { createContext, useContext } from 'react'
import type { Issuer } from './issuer.ts'

export const IssuerContext = createContext<Pick<Issuer, 'hasSignInPage' | 'completeSignIn'> | null>(null)

/** Returns the issuer of the surrounding context. @throws {Error} outside of it */
export function useIssuer() {
  const issuer = useContext(IssuerContext)
  if (issuer === null) throw new Error('This component has no IssuerContext around it.')
  return issuer
}

/** Reads whether people sign in at a page of the issuer (`page`) or with a link (`link`). */
export function useSignInWay() {
  const issuer = useIssuer()
  return useQuery({
    queryKey: ['sign-in-way'],
    queryFn: async () => ((await issuer.hasSignInPage()) ? 'page' : 'link'),
    staleTime: Number.POSITIVE_INFINITY,
    retry: 1,
  })
}
