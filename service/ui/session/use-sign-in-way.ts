import { useQuery } from '@tanstack/react-query'
import { createContext, useContext } from 'react'
import type { Issuer } from './issuer.ts'

export const IssuerContext = createContext<Pick<Issuer, 'hasSignInPage' | 'completeSignIn'> | null>(null)

export function useIssuer() {
  const issuer = useContext(IssuerContext)
  if (issuer === null) throw new Error('There is no issuer around this component.')
  return issuer
}

/** Whether people sign in at a page of the issuer's, or with a link. */
export function useSignInWay() {
  const issuer = useIssuer()
  return useQuery({
    queryKey: ['sign-in-way'],
    queryFn: async () => ((await issuer.hasSignInPage()) ? 'page' : 'link'),
    staleTime: Number.POSITIVE_INFINITY,
    retry: 1,
  })
}
