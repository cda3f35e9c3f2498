-- Who may add a person to groups: 'contacts' are those with whom they have a private chat. Null: everybody.
alter table users add column who_may_add text;
