# as our analysts write it
  #   language :   fr  
Fonctionnalité: commandes
  Scénario: une fois
    Soit 1 consumer
    Quand 5 messages are sent at once
    Alors within 30 s every message has exactly one result
