alter table users
    -- Who may add a person to groups: 'contacts' are those with whom they have a private chat. Null: everybody.
    add column who_may_add text,
    -- When the account was deleted. The row stays, because messages refer to it, with nothing personal in it.
    add column deleted_at timestamptz;
