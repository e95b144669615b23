Feature: Nobody holds a key: every pod signs in as itself

  A pod's service account token is exchanged at Microsoft Entra for a token that gives access to queue
  and table. Entra or storage refuses a wrong setup, and the consumer says how to fix it. Here an
  authority of the harness stands in for Entra, with its error codes, so that its tokens can live for
  seconds only and its clock can be wrong. On a laptop the harness is also the kubelet that projects and
  replaces the pods' tokens; in a cluster its own kubelets do so, with tokens that its own issuer signs.

  Rule: With its pod's identity a consumer does all of its work

    Scenario: Consumers work with tokens alone, and write none of them down
      Given 2 consumers
      And consumers sign in with the identity of their pods
      And consumers log all they can
      When 100 messages are sent at 100 per second
      Then within 20 s every message has exactly one result
      And every consumer has signed in once
      And storage refused no request for its token
      And nothing that was written down holds a token, a signature or a key

    Scenario Outline: Entra's clock is <time> <way>
      Given 1 consumer
      And consumers sign in with the identity of their pods
      And Entra's clock is <time> <way>
      When 20 messages are sent at once
      Then within 20 s every message has exactly one result
      And every consumer has signed in once

      Examples:
        | time  | way    |
        | 4 min | behind |
        | 4 min | ahead  |

  Rule: Tokens are replaced while consumers work

    Scenario: An expired token is replaced before it fails
      Given 2 consumers
      And consumers sign in with the identity of their pods
      And tokens live 4 s
      When 180 messages are sent at 30 per second
      Then within 20 s every message has exactly one result
      And every consumer has signed in at least 3 times
      And storage refused no request for its token
      And no message was delivered more than once

    Scenario: The pods' tokens are replaced in the middle of the load
      Given 2 consumers
      And consumers sign in with the identity of their pods
      And tokens live 4 s
      And the pods' tokens live 6 s
      When 220 messages are sent at 20 per second
      Then within 20 s every message has exactly one result
      And the pods' tokens were replaced at least 4 times
      And every consumer has signed in at least 5 times

    @cluster
    Scenario: The cluster's kubelet replaces the pods' tokens in its own time
      Given 1 consumer
      And consumers sign in with the identity of their pods
      And tokens live 1 min
      And the kubelet replaces the pods' tokens, which live 10 min
      When messages are sent at 1 per second for 11 min
      Then within 30 s every message has exactly one result
      And the pods' tokens were replaced at least 1 time
      And storage refused no request for its token

    Scenario: Entra cannot be reached for a while, and tokens last
      Given 2 consumers
      And consumers sign in with the identity of their pods
      And tokens live 20 s
      When 360 messages are sent at 25 per second, and Entra cannot be reached for 4 s when 175 are sent
      Then within 20 s every message has exactly one result
      And at least 1 request to Entra had no answer
      And storage refused no request for its token
      And no message was delivered more than once

    Scenario: Entra cannot be reached for longer than a token lives
      Given 2 consumers
      And consumers sign in with the identity of their pods
      And tokens live 4 s
      When 120 messages are sent at 40 per second, and Entra cannot be reached for 5 s when 40 are sent
      Then within 30 s every message has exactly one result
      And at least 1 request to Entra had no answer
      And nothing that was written down holds a token, a signature or a key

    Scenario: Consumers start while Entra cannot be reached
      Given 2 consumers
      And consumers sign in with the identity of their pods
      When consumers start 2 s before Entra can be reached
      Then no consumer says that it is ready before
      And within 20 s every consumer says that it is ready
      And every consumer stops within 10 s when told to

  Rule: A mistake in the set-up is refused, and the consumer names it and what mends it

    Scenario Outline: It is refused that <mistake>
      Given 1 consumer
      And consumers sign in with the identity of their pods
      And a consumer that cannot begin gives up after 10 s
      And <mistake>
      When consumers start
      Then within 30 s every consumer ends by itself with exit code <code>
      And each names <name>, and <mend> as what mends it
      And nothing that was written down holds a token, a signature or a key

      Examples: The federated credential does not fit
        | mistake                                                                | code | name          | mend                                               |
        | the pods run in another namespace                                      | 5    | AADSTS700213  | a credential for the pod's service account         |
        | the pods' tokens are for another audience                              | 5    | AADSTS700212  | a credential for the audience of workload identity |
        | the credential is for an issuer without its last slash                 | 5    | AADSTS700211  | a credential for the cluster's issuer              |
        | the pods' tokens are signed by a key that the cluster does not publish | 5    | AADSTS7000272 | a token that the cluster's issuer has signed       |

      Examples: The tenant or the client does not exist
        | mistake                | code | name         | mend                           |
        | the tenant id is wrong | 5    | AADSTS90002  | the tenant of the subscription |
        | the client id is wrong | 5    | AADSTS700016 | the client id of the identity  |

      Examples: Times or clocks are wrong
        | mistake                        | code | name         | mend       |
        | the pods' tokens have expired  | 5    | AADSTS700024 | a new pod  |
        | Entra's clock is 10 min behind | 5    | AADSTS700024 | a new node |

      Examples: A role is missing
        | mistake                                  | code | name                            | mend                                    |
        | the identity lacks its role on the queue | 5    | AuthorizationPermissionMismatch | the role Storage Queue Data Contributor |
        | the identity lacks its role on the table | 5    | AuthorizationPermissionMismatch | the role Storage Table Data Contributor |

      Examples: Entra does not answer
        | mistake                 | code | name                 | mend           |
        | Entra cannot be reached | 3    | AuthorityUnavailable | a way to Entra |
