-- Says in the database itself, where \df+ shows it, what the function is for.
COMMENT ON FUNCTION must_have_moved IS 'fails the transaction of a runner whose checkpoint is another''s by now';
